//! Runs the README's block of commands, and checks the table of the crate's README.

use crate::support::{Stage, run_script};

const README: &str = include_str!("../../../../README.md");

#[tokio::test]
async fn the_commands_of_the_readme_run() {
    let section = README.split("## From the command line\n").nth(1).unwrap();
    let block = section
        .split("```sh\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    assert!(block.lines().count() <= 10, "{block}");
    let stage = Stage::start().await;
    let run = run_script(&stage, &format!("set -e\n{block}")).await.ok();
    for (of, expected) in [
        ("--sandbox customers list", "cust-1    cust-1@example.com"),
        ("customers create", "website.intpWebsiteId  site-7"),
        ("websites list", "site-7,example.com,Pro,active\n"),
        ("analytics graph", "site-7: visits, "),
        ("dashboard", "externalWebsiteId=site-7"),
        ("api GET", "name: Unicorn yearly"),
    ] {
        assert!(
            block.contains(of) && run.stdout.contains(expected),
            "{of}: {run:#?}"
        );
    }
    assert!(run.stderr.contains("cust-42: deleted"), "{run:#?}");
    assert!(section.contains("cargo run -p twipla-cli -- --sandbox customers list"));
}

#[tokio::test]
async fn the_exit_codes_of_the_readme_match_the_help() {
    let stage = Stage::start().await;
    let help = stage.run("--help").await.ok().stdout;
    let codes = help.split("Exit codes:\n").nth(1).unwrap();
    let readme = include_str!("../../README.md");
    for line in codes.lines() {
        let (code, meaning) = line.trim().split_once("  ").unwrap();
        assert!(readme.contains(&format!("| {code} | {meaning}")), "{line}");
    }
}
