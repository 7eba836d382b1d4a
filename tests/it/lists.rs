//! Lists from servers that page and count in unusual ways: all entries once, or an error with the reason and the position.

use futures_util::TryStreamExt as _;
use serde_json::json;
use twipla::types::Intpc;
use twipla::{Dimension, ErrorKind, Metric, Twipla};
use twipla_tests::Stage;

use crate::played::{json as reply, played, query};

fn customer(number: usize) -> serde_json::Value {
    json!({
        "id": "7128840a-5347-49a4-8dfa-9022d8dad21a", "intpCustomerId": format!("c{number}"),
        "email": "owner@example.com", "intpId": "7128840a-5347-49a4-8dfa-9022d8dad21a",
        "createdAt": "2026-03-01T10:20:30.000Z",
    })
}

fn page(numbers: impl Iterator<Item = usize>, meta: &str) -> String {
    let payload: Vec<_> = numbers.map(customer).collect();
    let payload = serde_json::Value::from(payload);
    format!(r#"{{"payload":{payload},"meta":{meta}}}"#)
}

/// Reads a stream: returns the numbers of the customers, and how it ended.
async fn read(twipla: &Twipla, prefetch: bool) -> (Vec<usize>, twipla::Result<()>) {
    let list = twipla.customers().list().page_size(3).prefetch(prefetch);
    let mut stream = Box::pin(list.stream());
    let mut read = Vec::new();
    loop {
        match stream.try_next().await {
            Ok(Some(Intpc {
                intp_customer_id, ..
            })) => read.push(intp_customer_id.as_str()[1..].parse().unwrap()),
            Ok(None) => return (read, Ok(())),
            Err(error) => {
                assert!(stream.try_next().await.unwrap().is_none(), "it has ended");
                return (read, Err(error));
            }
        }
    }
}

/// Seven customers in pages of three, with this `meta`. `{page}` is replaced by the page number.
async fn with_meta(meta: &'static str) -> Twipla {
    played(move |uri, _| {
        let number = query(uri, "page");
        let meta = meta.replace("{page}", &number.to_string());
        let numbers = (number * 3)..(number * 3 + 3).min(7);
        reply(200, page(numbers, &meta))
    })
    .await
}

#[tokio::test]
async fn all_entries_are_read_whatever_the_form_of_the_counts() {
    for meta in [
        r#"{"page":{page},"pageSize":3,"pageTotal":3,"total":7}"#,
        r#"{"page":{page}.0,"pageSize":3.0,"pageTotal":3.0,"total":7.0}"#,
        r#"{"page":"{page}","pageSize":"3","pageTotal":"3","total":"7"}"#,
        r#"{"page":{page},"pageSize":3,"pageTotal":0,"total":7}"#,
        r#"{"page":{page},"pageSize":3,"pageTotal":null,"total":7}"#,
        r#"{"page":{page},"pageSize":3,"pageTotal":"many","total":7}"#,
        r#"{"page":{page},"pageSize":3,"pageTotal":2.5,"total":7}"#,
        r#"{"page":{page},"pageSize":3,"pageTotal":2,"total":7}"#,
        r#"{"page":{page},"pageSize":3,"pageTotal":4,"total":7}"#,
        r#"{"page":{page},"pageSize":3,"pageTotal":-1,"total":7}"#,
        r#"{"page":{page},"pageSize":3,"pageTotal":3,"total":null}"#,
        r#"{"page":{page},"pageSize":3,"pageTotal":3,"total":-1}"#,
        r#"{"page":null,"pageSize":[],"pageTotal":{},"total":true}"#,
        "{}",
    ] {
        let twipla = with_meta(meta).await;
        for prefetch in [false, true] {
            let (customers, end) = read(&twipla, prefetch).await;
            end.unwrap_or_else(|error| panic!("{meta}: {error}"));
            assert_eq!(customers, (0..7).collect::<Vec<_>>(), "{meta}");
        }
    }
}

#[tokio::test]
async fn inconsistent_page_is_an_error_with_the_position() {
    for (meta, read_before, message) in [
        (
            r#"{"page":{page},"pageSize":3,"pageTotal":3,"total":9}"#,
            7,
            "the server counts 9 entries, and gives no more than 7 (at page 3, after 7 entries)",
        ),
        (
            r#"{"page":{page},"pageSize":3,"pageTotal":3,"total":5}"#,
            6,
            "the server counts 5 entries, and gave 6 (at page 1, after 6 entries)",
        ),
        (
            r#"{"page":0,"pageSize":3,"pageTotal":3,"total":7}"#,
            3,
            "the server sent page 0 in its place (at page 1, after 3 entries)",
        ),
    ] {
        let twipla = with_meta(meta).await;
        for prefetch in [false, true] {
            let (customers, end) = read(&twipla, prefetch).await;
            let error = end.unwrap_err();
            assert_eq!(customers, (0..read_before).collect::<Vec<_>>(), "{meta}");
            assert_eq!(error.kind(), ErrorKind::Decode, "{meta}");
            assert_eq!(
                error.to_string(),
                format!("list_customers: cannot read the whole list: {message}")
            );
        }
    }
}

#[tokio::test]
async fn single_page_must_be_the_requested_one() {
    // The server repeats the last page for any page after it.
    let twipla = played(|uri, _| {
        let number = query(uri, "page").min(2);
        let meta = format!(r#"{{"page":{number},"pageSize":3,"pageTotal":3,"total":7}}"#);
        reply(200, page((number * 3)..(number * 3 + 3).min(7), &meta))
    })
    .await;
    let list = |page| twipla.customers().list().page_size(3).page(page);
    assert_eq!(list(2).await.unwrap().items.len(), 1);
    let error = list(4).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(
        error
            .message()
            .contains("requested page 4, but the server sent page 2 in its place"),
        "{error}"
    );
    // A server may number pages from 1 in `meta`.
    let from_one = played(|uri, _| {
        let meta = format!(r#"{{"page":{}}}"#, query(uri, "page") + 1);
        reply(200, page(0..3, &meta))
    })
    .await;
    assert_eq!(
        from_one
            .customers()
            .list()
            .page(3)
            .await
            .unwrap()
            .items
            .len(),
        3
    );
    // An empty page is accepted whatever its number.
    let empty = played(|_, _| reply(200, page(0..0, r#"{"page":0}"#))).await;
    assert!(
        empty
            .customers()
            .list()
            .page(3)
            .await
            .unwrap()
            .items
            .is_empty()
    );
}

#[tokio::test]
async fn deletion_during_a_list_without_a_total_skips_no_entry() {
    for prefetch in [false, true] {
        let mut requests = 0;
        let twipla = played(move |uri, _| {
            requests += 1;
            // Customer 0 is deleted after the first page was read.
            let all: Vec<_> = (usize::from(requests > 1)..7).collect();
            let rest = all.into_iter().skip(query(uri, "page") * 3);
            reply(200, page(rest.take(3), "{}"))
        })
        .await;
        let (mut customers, end) = read(&twipla, prefetch).await;
        end.unwrap();
        customers.sort_unstable();
        assert_eq!(customers, (0..7).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn unreadable_entry_is_an_error_with_the_position() {
    let twipla = played(|uri, _| {
        let number = query(uri, "page");
        let meta = r#"{"pageTotal":3,"total":7}"#;
        let body = page((number * 3)..(number * 3 + 3).min(7), meta);
        reply(
            200,
            body.replace(r#""intpCustomerId":"c4""#, r#""intpCustomerId":4"#),
        )
    })
    .await;
    let (customers, end) = read(&twipla, false).await;
    let error = end.unwrap_err().to_string();
    assert_eq!(customers, [0, 1, 2]);
    assert!(error.contains("payload[1].intpCustomerId"), "{error}");
    assert!(error.contains("(at page 1, after 3 entries)"), "{error}");
}

#[tokio::test]
async fn pages_counted_from_1_and_capped_pages_are_all_read() {
    // Numbers pages from 1, and treats 0 like 1.
    let from_one = played(|uri, _| {
        let number = query(uri, "page").max(1);
        let meta = format!(r#"{{"page":{number},"pageSize":3,"pageTotal":3,"total":7}}"#);
        reply(200, page((number * 3 - 3)..(number * 3).min(7), &meta))
    })
    .await;
    // Returns two entries, whatever the page size.
    let capped = played(|uri, _| {
        let number = query(uri, "page");
        let meta = format!(r#"{{"page":{number},"pageSize":2,"pageTotal":4,"total":7}}"#);
        reply(200, page((number * 2)..(number * 2 + 2).min(7), &meta))
    })
    .await;
    for twipla in [from_one, capped] {
        let (customers, end) = read(&twipla, false).await;
        end.unwrap();
        assert_eq!(customers, (0..7).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn repeated_page_is_an_error() {
    let twipla = played(|_, _| reply(200, page(0..3, r#"{"pageTotal":3,"total":7}"#))).await;
    let (customers, end) = read(&twipla, false).await;
    assert_eq!(customers, [0, 1, 2]);
    let error = end.unwrap_err();
    assert!(
        error
            .message()
            .contains("counts 7 entries, and gives no more than 3"),
        "{error}"
    );
}

#[tokio::test]
async fn all_customers_can_be_deleted_while_listing() {
    let stage = Stage::start().await;
    let customers = stage.website_model.customers();
    for number in 0..10 {
        let id = format!("c{number}");
        customers
            .create(id.as_str(), format!("{id}@example.com"))
            .await
            .unwrap();
    }
    let mut stream = Box::pin(customers.list().page_size(3).stream());
    let mut deleted = 0;
    while let Some(customer) = stream.try_next().await.unwrap() {
        let id = customer.intp_customer_id;
        stage.website_model.customer(&id).delete().await.unwrap();
        deleted += 1;
    }
    assert_eq!(deleted, 10);
    assert!(customers.list().await.unwrap().items.is_empty());
}

#[tokio::test]
async fn empty_list_has_one_empty_page() {
    let stage = Stage::start().await;
    let list = stage.website_model.customers().list();
    let pages: Vec<_> = list.pages().try_collect().await.unwrap();
    assert_eq!(pages.len(), 1);
    assert_eq!(pages[0].meta.unwrap().total, Some(0));
}

/// Returns the rows of all pages, from a server with these pages, numbered from 1.
async fn rows(pages: &'static [&'static [u32]]) -> twipla::Result<Vec<f64>> {
    let twipla = played(move |_, body| {
        let sent: serde_json::Value = serde_json::from_slice(body).unwrap();
        let number = sent["pagination"]["page"].as_u64().unwrap();
        let number = usize::try_from(number).unwrap() - 1;
        let rows = pages[number % pages.len()].iter();
        let rows: Vec<_> = rows.map(|visits| json!({"visitCount": visits})).collect();
        reply(200, json!({ "payload": rows }).to_string())
    })
    .await;
    let data = twipla.analytics("7128840a-5347-49a4-8dfa-9022d8dad21a", "twpl-test");
    let query = data.sessions().metrics([Metric::VisitCount]);
    let day = "2026-03-01".parse().unwrap();
    let query = query.dimensions([Dimension::PageUrl]).date_range(day..=day);
    let rows: Vec<_> = query.page_size(2).stream().try_collect().await?;
    let visits = rows
        .iter()
        .map(|row| row.number(&Metric::VisitCount).unwrap());
    Ok(visits.collect())
}

#[tokio::test]
async fn rows_end_after_a_repeated_or_short_page() {
    assert_eq!(rows(&[&[1, 2], &[3], &[]]).await.unwrap(), [1.0, 2.0, 3.0]);
    // Pages that start with the same row are not the same page.
    assert_eq!(
        rows(&[&[9, 1], &[8, 2], &[8, 3], &[]]).await.unwrap(),
        [9.0, 1.0, 8.0, 2.0, 8.0, 3.0]
    );
    // One repetition may be a mistake; two mean that the server ignores paging.
    assert_eq!(rows(&[&[1, 2]]).await.unwrap(), [1.0, 2.0]);
    assert_eq!(
        rows(&[&[1, 2], &[1, 2], &[3], &[]]).await.unwrap(),
        [1.0, 2.0, 3.0]
    );
    let error = rows(&[&[1, 2], &[3, 4], &[5]]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.message().contains("page 3 starts over"), "{error}");
}
