//! Analytics data of a website: rows, plots and files.

use crate::support::{Stage, assert_runs};

const DAYS: &str = "--from 2026-01-01 --to 2026-01-31";

/// Returns a stage with the API key of `site-1` in `site.key`.
async fn with_key() -> Stage {
    let stage = Stage::start().await;
    stage
        .run("keys create site-1 reports --secret-file site.key")
        .await
        .ok();
    stage
}

#[tokio::test]
async fn rows_are_grouped_by_metric_and_dimension() {
    let stage = with_key().await;
    let line = format!(
        "analytics sessions site-1 --api-key-file site.key {DAYS} --by deviceType --metrics visitCount,bounceRate"
    );
    let rows = stage
        .run(&format!("{line} --order -visitCount -o json"))
        .await
        .ok()
        .json();
    let rows = rows.as_array().unwrap();
    assert_eq!((rows.len(), &rows[0]["deviceType"]), (3, &"desktop".into()));
    let csv = stage
        .run(&format!("{line} --where deviceType=mobile,tablet -o csv"))
        .await
        .ok()
        .stdout;
    assert!(
        csv.starts_with("deviceType,visitCount,bounceRate\nmobile,"),
        "{csv}"
    );
    assert_eq!(csv.lines().count(), 3, "{csv}");
    let pages = stage
        .run(&format!(
            "analytics pages site-1 --api-key-file site.key {DAYS} --limit 2 -o ndjson"
        ))
        .await;
    assert_eq!(pages.ok().stdout.lines().count(), 2);
    let compared = format!(
        "{line} --metrics previousVisitCount --previous-from 2025-12-01 --previous-to 2025-12-31"
    );
    stage.run(&compared).await.ok();
}

#[tokio::test]
async fn graphs_are_rows_for_programs_and_plots_for_people() {
    let mut stage = with_key().await;
    let key = std::fs::read_to_string(stage.path("site.key")).unwrap();
    stage.set("TWIPLA_API_KEY", key.trim());
    for of in ["visits", "bounce-rate", "page-view-duration"] {
        let line = format!("analytics graph site-1 --of {of} {DAYS} --timezone Europe/Berlin");
        let rows = stage.run(&format!("{line} -o json")).await.ok().json();
        assert_eq!(rows.as_array().unwrap().len(), 31);
        let plot = stage.run(&format!("{line} --plot")).await.ok();
        assert!(
            plot.stdout.contains("01-07──") && plot.stdout.contains("2026-01-31  "),
            "{plot:?}"
        );
        // A file or a pipe gets a plot only if requested.
        assert!(!stage.run(&line).await.ok().stdout.contains("──"));
    }
    let traffic = stage
        .run(&format!("analytics traffic site-1 {DAYS} --plot"))
        .await
        .ok();
    assert!(traffic.stdout.contains("\nai_traffic  █"), "{traffic:?}");
}

#[tokio::test]
async fn plots_are_written_into_files() {
    let stage = with_key().await;
    let line = format!(
        "analytics traffic site-1 --api-key-file site.key {DAYS} --png a.png --svg a.svg -o csv"
    );
    let run = stage.run(&line).await.ok();
    assert!(run.stderr.contains("a.png: written"), "{run:?}");
    let png = std::fs::read(stage.path("a.png")).unwrap();
    assert!(png.starts_with(b"\x89PNG\r\n") && png.len() > 10_000);
    let svg = std::fs::read_to_string(stage.path("a.svg")).unwrap();
    assert!(
        svg.contains("visits by source, 2026-01-01 to 2026-01-31") && svg.contains("ai_traffic"),
        "{svg}"
    );
    let bars = format!("analytics pages site-1 --api-key-file site.key {DAYS} --png b.png");
    stage.run(&bars).await.ok();
    assert!(
        std::fs::read(stage.path("b.png"))
            .unwrap()
            .starts_with(b"\x89PNG")
    );
}

#[tokio::test]
async fn the_key_is_required_but_never_an_argument() {
    let stage = with_key().await;
    std::fs::write(stage.path("wrong.key"), "twpl-wrong").unwrap();
    assert_runs!(
        stage,
        "analytics_errors",
        "analytics graph site-1",
        "analytics graph site-1 --api-key-file wrong.key --from 2026-01-01 --to 2026-01-02",
        "analytics graph site-1 --api-key-file no.key",
        "analytics graph site-1 --api-key-file site.key --from 2026-02-01 --to 2026-01-01",
        "analytics sessions site-1 --api-key-file site.key --metrics previousVisitCount --from 2026-01-01 --to 2026-01-02",
    );
    let from_stdin = std::fs::read_to_string(stage.path("site.key")).unwrap();
    let line = "analytics graph site-1 --api-key-file - --from 2026-01-01 --to 2026-01-02 -o csv";
    assert_eq!(
        stage
            .run_with(line, &from_stdin)
            .await
            .ok()
            .stdout
            .lines()
            .count(),
        3
    );
}

#[tokio::test]
async fn a_temporary_sandbox_needs_no_key() {
    let stage = Stage::start().await.without_variables();
    let run = stage
        .run("--sandbox analytics graph site-1 --from 2026-01-01 --to 2026-01-31 --plot")
        .await
        .ok();
    assert!(
        run.stdout
            .starts_with("site-1: visits, 2026-01-01 to 2026-01-31\n"),
        "{run:?}"
    );
}
