//! The proxies that requests are sent through.
//!
//! The proxy variables are read here, once, in `build()`: reqwest skips a
//! malformed variable silently, and requests would be sent without the proxy.

use std::net::IpAddr;

use reqwest::{NoProxy, Proxy};
use url::Url;

use crate::{Error, ErrorKind, Result};

/// Reads the proxies for these servers from the environment. The proxy depends on the
/// host of each request; requests to this machine never use one.
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
    // In a CGI program, HTTP_PROXY is the header `Proxy` of the incoming request.
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

/// Returns one proxy for all requests except those to this machine.
pub(crate) fn explicit(url: &str) -> Result<Proxy> {
    let proxy = Proxy::all(proxy_url("proxy", url)?).map_err(unusable_proxy)?;
    Ok(proxy.no_proxy(exceptions("")))
}

fn proxy_url(name: &str, text: &str) -> Result<Url> {
    let text = text.trim();
    // The default scheme is http, as for curl.
    let url = if text.contains("://") {
        Url::parse(text)
    } else {
        Url::parse(&format!("http://{text}"))
    };
    // Do not show a password.
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

/// Checks the networks in `NO_PROXY`, since a malformed one would never match. Names may be anything.
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

/// Returns whether a URL names this machine.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(servers: &[&str], vars: &[(&str, &str)]) -> Result<usize> {
        let servers: Vec<_> = servers.iter().map(|url| Url::parse(url).unwrap()).collect();
        let servers: Vec<_> = servers.iter().collect();
        let var = |name: &str| {
            let mut vars = vars.iter();
            vars.find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).to_owned())
        };
        from_vars(&servers, var).map(|proxies| proxies.len())
    }

    #[test]
    fn a_variable_counts_if_a_server_needs_it() {
        let proxy = "http://proxy.example.com:3128";
        let (http, https) = ("http://a.example.com", "https://a.example.com");
        for (servers, vars, expected) in [
            (&[https][..], &[][..], 0),
            (&[https], &[("HTTPS_PROXY", proxy)], 1),
            (&[https], &[("https_proxy", "proxy.example.com:3128")], 1),
            (&[https], &[("HTTPS_PROXY", " "), ("all_proxy", proxy)], 1),
            (&[https], &[("HTTP_PROXY", proxy)], 0),
            (&[http, https], &[("ALL_PROXY", proxy)], 2),
            (&["https://127.0.0.1"], &[("HTTPS_PROXY", proxy)], 0),
            (&["https://127.0.0.1"], &[("HTTPS_PROXY", "nonsense://")], 0),
            (&[https], &[("HTTPS_PROXY", proxy), ("HTTP_PROXY", "::")], 1),
            // A CGI program's HTTP_PROXY comes from the incoming request.
            (
                &[http],
                &[("HTTP_PROXY", proxy), ("REQUEST_METHOD", "GET")],
                0,
            ),
            (
                &[http],
                &[("http_proxy", proxy), ("REQUEST_METHOD", "GET")],
                1,
            ),
            (
                &[https],
                &[
                    ("HTTPS_PROXY", proxy),
                    (
                        "NO_PROXY",
                        "b.example.com, .c.example.com,10.0.0.0/8,::1/128,*",
                    ),
                ],
                1,
            ),
        ] {
            assert_eq!(proxies(servers, vars).unwrap(), expected, "{vars:?}");
        }
    }

    #[test]
    fn a_malformed_variable_is_an_error_that_names_it() {
        let proxy = ("HTTPS_PROXY", "http://proxy.example.com:3128");
        for vars in [
            &[("HTTPS_PROXY", "http://")][..],
            &[("https_proxy", "http://pro xy")],
            &[("ALL_PROXY", "proxy:99999")],
            &[("all_proxy", "socks5://proxy.example.com")],
            &[("HTTPS_PROXY", "http://user:pass-word@pro xy")],
            &[("NO_PROXY", "10.0.0.0/33"), proxy],
            &[("no_proxy", "a.example.com,::1/129"), proxy],
            &[("NO_PROXY", "10.0.0/8"), proxy],
        ] {
            let error = proxies(&["https://a.example.com"], vars).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration);
            let text = format!("{error}, {error:?}");
            assert!(text.contains(&format!("invalid {}", vars[0].0)), "{text}");
            assert!(!text.contains("pass-word"), "{text}");
        }
    }
}
