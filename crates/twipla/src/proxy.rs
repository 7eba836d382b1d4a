//! Which proxy requests go through.
//!
//! The environment's proxies are read here, once, in `build()`: reqwest skips a
//! malformed variable silently, and requests would go out without the proxy.

use std::net::IpAddr;

use reqwest::{NoProxy, Proxy};
use url::Url;

use crate::{Error, ErrorKind, Result};

/// The proxies of the environment, for these servers. Each request goes by the
/// host it is sent to, and never through a proxy to this machine.
pub(crate) fn from_vars(
    servers: &[&Url],
    var: impl Fn(&str) -> Option<String>,
) -> Result<Vec<Proxy>> {
    let first_set = |names: &[&'static str]| {
        names.iter().find_map(|name| {
            let value = var(name).filter(|value| !value.trim().is_empty())?;
            Some((*name, value))
        })
    };
    let is_used = |scheme| {
        let mut servers = servers.iter();
        servers.any(|server| server.scheme() == scheme && !is_loopback(server))
    };
    // In a CGI program, HTTP_PROXY is the header `Proxy` of whoever calls it.
    let http: &[&str] = if var("REQUEST_METHOD").is_some() {
        &["http_proxy", "ALL_PROXY", "all_proxy"]
    } else {
        &["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"]
    };
    let https: &[&str] = &["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    let no_proxy = first_set(&["NO_PROXY", "no_proxy"]);
    let mut proxies = Vec::new();
    for (scheme, names) in [("http", http), ("https", https)] {
        let Some((name, value)) = first_set(names).filter(|_| is_used(scheme)) else {
            continue;
        };
        let url = proxy_url(name, &value)?;
        let proxy = match scheme {
            "http" => Proxy::http(url),
            _ => Proxy::https(url),
        };
        let except = match &no_proxy {
            Some((name, hosts)) => check_no_proxy(name, hosts)?,
            None => "",
        };
        proxies.push(proxy.map_err(unusable_proxy)?.no_proxy(exceptions(except)));
    }
    Ok(proxies)
}

/// One proxy for all that does not go to this machine.
pub(crate) fn explicit(url: &str) -> Result<Proxy> {
    let proxy = Proxy::all(proxy_url("proxy", url)?).map_err(unusable_proxy)?;
    Ok(proxy.no_proxy(exceptions("")))
}

fn proxy_url(name: &str, text: &str) -> Result<Url> {
    let text = text.trim();
    // Without a scheme it is http, as for curl.
    let url = if text.contains("://") {
        Url::parse(text)
    } else {
        Url::parse(&format!("http://{text}"))
    };
    // A password is not shown.
    let shown = text.rsplit('@').next().unwrap_or_default();
    let url = url.map_err(|error| {
        config(format!(
            "invalid {name} {shown:?}: expected a URL like http://proxy.example.com:3128"
        ))
        .with_source(error)
    })?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(config(format!(
            "invalid {name} {shown:?}: expected a proxy that speaks http or https, not {}",
            url.scheme()
        )));
    }
    Ok(url)
}

/// Names may be anything. A network that is none would never match.
fn check_no_proxy<'a>(name: &str, hosts: &'a str) -> Result<&'a str> {
    for entry in hosts.split(',').map(str::trim) {
        let Some((address, length)) = entry.split_once('/') else {
            continue;
        };
        let most = match address.parse() {
            Ok(IpAddr::V4(_)) => 32,
            Ok(IpAddr::V6(_)) => 128,
            Err(_) => 0,
        };
        if most == 0 || !length.parse::<u8>().is_ok_and(|length| length <= most) {
            return Err(config(format!(
                "invalid {name}: expected a network like 10.0.0.0/8, not {entry:?}"
            )));
        }
    }
    Ok(hosts)
}

fn exceptions(hosts: &str) -> Option<NoProxy> {
    NoProxy::from_string(&format!("localhost,127.0.0.0/8,::1,{hosts}"))
}

fn unusable_proxy(error: reqwest::Error) -> Error {
    config("cannot use the proxy").with_source(error.without_url())
}

/// Whether a URL names this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn config(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Configuration, message)
}
