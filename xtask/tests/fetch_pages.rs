//! Finds our document in pages that show it: Redoc, Swagger UI, redirects, compressed responses, other APIs.

#![allow(clippy::unwrap_used, reason = "every function here serves a test")]

#[path = "support/server.rs"]
mod server;

use std::io::Write as _;
use std::net::SocketAddr;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use xtask::fetch::{Document, Ours, read};

use self::server::{answer, answer_with, serve};

const SMALL: &str = include_str!("fetch/small.json");
const BROTLI: &[u8] = include_bytes!("fetch/small.json.br");

fn small() -> Value {
    serde_json::from_str(SMALL).unwrap()
}

/// Another API of the same vendor.
fn other() -> String {
    let mut other = small();
    other["info"]["title"] = json!("Other");
    other["paths"] = json!({ "/others": {}, "/health": {} });
    other.to_string()
}

fn fetch(server: SocketAddr, path: &str, pick: Option<&str>) -> anyhow::Result<Document> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let source = format!("http://{server}{path}").parse()?;
    runtime.block_on(read(&source, &Ours::of(&small()), pick))
}

fn refused(server: SocketAddr, path: &str, pick: Option<&str>) -> String {
    format!("{:#}", fetch(server, path, pick).unwrap_err())
}

/// Serves a page, and a document at `/deep/api.json`.
fn page(page: impl Into<String>) -> SocketAddr {
    let page = page.into();
    serve(move |path| match path {
        "/" => answer("200 OK", &format!("<html>{page}</html>")),
        "/deep/api.json" => answer("200 OK", SMALL),
        "/config" => answer(
            "200 OK",
            r#"{"urls":[{"url":"/deep/api.json","name":"a"}]}"#,
        ),
        "/other.json" => answer("200 OK", &other()),
        "/deep/swagger-ui-init.js" => answer(
            "200 OK",
            "window.ui = SwaggerUIBundle({ url: '/deep/api.json' })",
        ),
        "/nest/swagger-ui-init.js" => answer(
            "200 OK",
            &format!(
                "let options = {{\n  \"swaggerDoc\": {SMALL},\n  \"customOptions\": {{}}\n}};"
            ),
        ),
        _ => answer("404 Not Found", "nothing"),
    })
}

#[test]
fn document_is_found_in_every_kind_of_page() {
    let escaped = SMALL
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n");
    for html in [
        format!("<script>window['__redoc_state'] = {{\"spec\": {{\"data\": {SMALL}}}}};</script>"),
        format!("<script>window[\"__redoc_definition\"] = {SMALL}</script>"),
        format!("<script>Redoc.init({SMALL}, {{}}, document.body)</script>"),
        format!("<script>var spec = {SMALL};\nRedoc.init(spec, {{}})</script>"),
        format!("<script>Redoc.init(JSON.parse(\"{escaped}\"))</script>"),
        "<script>Redoc.init('deep/api.json', {}, document.body)</script>".to_owned(),
        "<redoc spec-url=\"/deep/api.json\"></redoc>".to_owned(),
        "<redoc spec-url='deep/api.json'></redoc>".to_owned(),
        "<redoc spec-url=deep/api.json></redoc>".to_owned(),
        "<script>SwaggerUIBundle({ url: \"/deep/api.json\", dom_id: '#ui' })</script>".to_owned(),
        "<script>SwaggerUIBundle({ urls: [{ name: 'x', url: '/gone.json' }, { url: '/deep/api.json' }] })</script>"
            .to_owned(),
        "<script src='/deep/swagger-ui-init.js'></script>".to_owned(),
        "<script src='/nest/swagger-ui-init.js'></script>".to_owned(),
        "<a href='deep/api.json'>Download</a>".to_owned(),
        format!("<script type=\"application/json\">{SMALL}</script>"),
        "<elements-api apiDescriptionUrl=\"/deep/api.json\">".to_owned(),
        // As written by springdoc, FastAPI and Swashbuckle.
        "<script>SwaggerUIBundle({ \"configUrl\" : \"/config\" })</script>".to_owned(),
        "<script>const ui = SwaggerUIBundle({\n url: '/deep/api.json',\n})</script>".to_owned(),
        "<script>var configObject = JSON.parse('{\"urls\":[{\"url\":\"/deep/api.json\",\"name\":\"V1\"}]}');</script>".to_owned(),
    ] {
        let document = fetch(page(html.clone()), "/", None);
        assert_eq!(document.unwrap().value, small(), "{html}");
    }
}

#[test]
fn more_links_than_eight_are_followed() {
    let dead: Vec<String> = (0..30)
        .map(|number| format!("<a href='/schemas/{number}.json'></a>"))
        .collect();
    let mut html = dead.concat();
    html.push_str("<a href='/deep/api.json'></a>");
    assert_eq!(fetch(page(html), "/", None).unwrap().value, small());
}

#[test]
fn links_are_relative_to_where_a_redirect_ends() {
    let server = serve(|path| match path {
        "/docs" => answer_with("302 Found", &["location: /v3/reference/"], b""),
        "/v3/reference/" => answer("200 OK", "<html><redoc spec-url='api.yaml'></redoc></html>"),
        "/v3/reference/api.yaml" => answer(
            "200 OK",
            "openapi: 3.0.3\ninfo: {title: Small, version: 1.0}\npaths: {'/things/{thing}': {}}\n",
        ),
        _ => answer("404 Not Found", "nothing"),
    });
    let document = fetch(server, "/docs", None).unwrap();
    assert_eq!(document.extension, "yaml");
    assert_eq!(document.value["info"]["title"], "Small");
}

#[test]
fn unrequested_compression_is_decoded() {
    let server = serve(|path| {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(SMALL.as_bytes()).unwrap();
        let gzip = gzip.finish().unwrap();
        match path {
            "/gzip" => answer_with("200 OK", &["Content-Encoding: gzip"], &gzip),
            "/br" => answer_with("200 OK", &["content-encoding: br"], BROTLI),
            "/cut" => answer_with("200 OK", &["content-encoding: gzip"], &gzip[..40]),
            "/bomb" => {
                let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
                bomb.write_all(&vec![b' '; 40 * 1024 * 1024]).unwrap();
                answer_with(
                    "200 OK",
                    &["content-encoding: gzip"],
                    &bomb.finish().unwrap(),
                )
            }
            _ => answer_with("200 OK", &["content-encoding: zstd"], b"x"),
        }
    });
    for path in ["/gzip", "/br"] {
        assert_eq!(fetch(server, path, None).unwrap().text, SMALL, "{path}");
    }
    for (path, reason) in [
        (
            "/cut",
            "cannot decompress the response, whose encoding is gzip",
        ),
        ("/bomb", "it is larger than 32 MiB"),
        (
            "/zstd",
            "invalid content-encoding \"zstd\": expected gzip, deflate or br",
        ),
    ] {
        let error = refused(server, path, None);
        assert!(error.contains(reason), "{error}");
    }
}

#[test]
fn our_document_is_chosen_among_several() {
    let both = page("<a href='/other.json'></a><a href='/deep/api.json'></a>");
    assert_eq!(fetch(both, "/", None).unwrap().value, small());
    let embedded = page(format!(
        "<script>__redoc_state = {{\"spec\": {{\"data\": {}}}}}</script><a href='/deep/api.json'></a>",
        other()
    ));
    assert_eq!(fetch(embedded, "/", None).unwrap().value, small());
    for (server, path) in [
        (page("<a href='/other.json'></a>"), "/"),
        (both, "/other.json"),
    ] {
        let error = refused(server, path, None);
        for want in [
            "no document there has the paths of our API",
            "`--pick`",
            "\"Other\" 0.0.7, 2 paths, from http://",
        ] {
            assert!(error.contains(want), "{error:?} does not say {want:?}");
        }
        let picked = fetch(server, path, Some("other")).unwrap();
        assert_eq!(picked.value["info"]["title"], "Other");
    }
}

#[test]
fn several_matching_documents_are_an_error_unless_picked() {
    let server = serve(|path| {
        let mut copy = small();
        copy["info"]["title"] = json!("Small, the second");
        match path {
            "/" => answer(
                "200 OK",
                "<html><a href='/a.json'></a><a href='/b.json'></a></html>",
            ),
            path => {
                copy["info"]["version"] = json!(path);
                answer("200 OK", &copy.to_string())
            }
        }
    });
    let error = refused(server, "/", None);
    for want in ["several documents there may be ours", "/a.json", "/b.json"] {
        assert!(error.contains(want), "{error:?} does not say {want:?}");
    }
    let picked = fetch(server, "/", Some("B.JSON")).unwrap();
    assert_eq!(picked.value["info"]["version"], "/b.json");
    for (pick, count) in [("second", "found 2"), ("third", "found 0")] {
        let error = refused(server, "/", Some(pick));
        assert!(
            error.contains(&format!("invalid --pick {pick:?}")) && error.contains(count),
            "{error}"
        );
    }
}

#[test]
fn login_page_is_an_error_with_a_remedy() {
    let server = serve(|path| match path {
        "/docs" => answer_with("302 Found", &["location: /login"], b""),
        "/login" => answer(
            "200 OK",
            "<!doctype html><title>Sign in to Docs</title><form></form>",
        ),
        _ => answer("401 Unauthorized", "no"),
    });
    let error = refused(server, "/docs", None);
    for want in [
        "the page \"Sign in to Docs\"",
        "save the page",
        "`cargo xtask fetch FILE`",
    ] {
        assert!(error.contains(want), "{error:?} does not say {want:?}");
    }
    let error = refused(server, "/api", None);
    assert!(
        error.contains("401 Unauthorized") && error.contains("`cargo xtask fetch FILE`"),
        "{error}"
    );
}
