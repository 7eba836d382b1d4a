//! The journal: torn lines, foreign files, and writing before sending.

use twipla_plan::{Error, Plan, Report};
use twipla_sandbox::{Fault, FaultKind};

use crate::support::{Stage, customer, website};

async fn applied(stage: &Stage) -> Plan {
    let wanted: Vec<_> = (0..2)
        .map(|n| customer(&format!("c{n}"), vec![website(&format!("w{n}"), "Basic")]))
        .collect();
    let plan = stage.plan(&wanted).await;
    assert!(stage.apply(&plan).run().await.unwrap().is_complete());
    stage.sandbox.clear_commits();
    stage.sandbox.clear_requests();
    plan
}

/// Runs again with this journal text.
async fn again(stage: &Stage, plan: &Plan, journal: &[u8]) -> Result<Report, Error> {
    std::fs::write(stage.path("plan.journal"), journal).unwrap();
    stage.apply(plan).run().await
}

#[tokio::test]
async fn journal_that_was_cut_anywhere_leads_to_the_same_result() {
    let stage = Stage::start().await;
    let plan = applied(&stage).await;
    let whole = std::fs::read(stage.path("plan.journal")).unwrap();
    let before = stage.snapshot();
    // The ends of lines and the bytes next to them, and some in between.
    let is_end = |at: usize| at > 0 && whole.get(at - 1) == Some(&b'\n');
    let is_near = |at: usize| is_end(at) || is_end(at + 1) || is_end(at.saturating_sub(1));
    for length in (0..=whole.len()).filter(|at| is_near(*at) || at % 13 == 0) {
        let report = again(&stage, &plan, &whole[..length]).await.unwrap();
        assert!(report.is_complete(), "cut at {length}: {report:?}");
        let kept = String::from_utf8(whole[..length].to_vec()).unwrap();
        let ended = kept
            .split_inclusive('\n')
            .filter(|line| line.ends_with('\n') && line.starts_with("{\"end\""));
        assert_eq!(
            report.progress.earlier,
            ended.count() as u64,
            "cut at {length}"
        );
        let lines = std::fs::read_to_string(stage.path("plan.journal")).unwrap();
        for line in lines.lines() {
            serde_json::from_str::<serde_json::Value>(line).unwrap();
        }
    }
    assert!(stage.sandbox.commits().is_empty(), "nothing is done twice");
    assert_eq!(stage.snapshot(), before);
}

#[tokio::test]
async fn garbage_at_the_end_after_a_crash_is_a_torn_line() {
    let stage = Stage::start().await;
    let plan = applied(&stage).await;
    let mut journal = std::fs::read(stage.path("plan.journal")).unwrap();
    journal.extend([0; 500]);
    assert_eq!(
        again(&stage, &plan, &journal)
            .await
            .unwrap()
            .progress
            .earlier,
        4
    );
}

#[tokio::test]
async fn journal_of_another_plan_and_foreign_files_are_rejected_and_kept() {
    let stage = Stage::start().await;
    let plan = applied(&stage).await;
    let whole = std::fs::read_to_string(stage.path("plan.journal")).unwrap();
    let first = whole.lines().next().unwrap();
    for (journal, says) in [
        (
            whole.replacen("\"plan\":\"", "\"plan\":\"0", 1),
            "belongs to another plan",
        ),
        (
            whole.replacen("\"twipla_journal\":1", "\"twipla_journal\":9", 1),
            "it has version 9",
        ),
        (
            "a letter to someone".to_owned(),
            "expected a journal of this plan",
        ),
        (
            "a letter\nto someone\n".to_owned(),
            "its first line is not valid",
        ),
        (
            format!("{first}\nnonsense\n{{\"start\":1}}\n"),
            "line 2 cannot be read",
        ),
        (
            format!("{first}\n{{\"start\":5}}\n"),
            "line 2 has action 5, expected 1 to 4",
        ),
        (
            format!("{first}\n{{\"start\":0}}\n"),
            "line 2 has action 0, expected 1 to 4",
        ),
    ] {
        let error = again(&stage, &plan, journal.as_bytes()).await.unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
        let kept = std::fs::read_to_string(stage.path("plan.journal")).unwrap();
        assert_eq!(kept, journal, "{says}");
    }
    assert!(stage.sandbox.requests().is_empty());
}

#[tokio::test]
async fn journal_in_use_is_rejected() {
    let stage = Stage::start().await;
    let plan = stage.plan(&[customer("c", Vec::new())]).await;
    stage
        .sandbox
        .inject(Fault::new(FaultKind::Hang).operation("create_customer"));
    let first = tokio::spawn(stage.apply(&plan).run());
    while stage.requests("create_customer") == 0 {
        tokio::task::yield_now().await;
    }
    let error = stage.apply(&plan).run().await.unwrap_err();
    assert!(matches!(error, Error::Refused(_)), "{error}");
    assert!(error.to_string().contains("is in use"), "{error}");
    first.abort();
}

#[tokio::test]
async fn action_is_in_the_journal_before_it_is_sent() {
    let stage = Stage::start().await;
    let plan = stage.plan(&[customer("c", Vec::new())]).await;
    stage
        .sandbox
        .inject(Fault::new(FaultKind::Hang).operation("create_customer"));
    let run = tokio::spawn(stage.apply(&plan).run());
    while stage.requests("create_customer") == 0 {
        tokio::task::yield_now().await;
    }
    let journal = std::fs::read_to_string(stage.path("plan.journal")).unwrap();
    assert!(journal.ends_with("{\"start\":1}\n"), "{journal}");
    run.abort();
}

#[tokio::test]
async fn nothing_is_sent_if_the_journal_cannot_be_written() {
    let stage = Stage::start().await;
    let plan = stage.plan(&[customer("c", Vec::new())]).await;
    let apply = twipla_plan::Apply::new(&stage.twipla, &plan, stage.path("no/such/folder/journal"));
    let error = apply.run().await.unwrap_err();
    assert!(matches!(error, Error::Io(..)), "{error}");
    assert!(stage.sandbox.commits().is_empty());
}

#[tokio::test]
async fn actions_in_doubt_are_checked_on_the_server() {
    let stage = Stage::start().await;
    stage
        .reach(&[customer("c", vec![website("w", "Basic")])])
        .await;
    let plan = stage
        .plan(&[customer("c", vec![website("w", "Pro")])])
        .await;
    // The response is lost, and so is every read-back.
    let lost = Fault::new(FaultKind::ResetAfterCommit);
    stage
        .sandbox
        .inject(lost.operation("upgrade_website_subscription"));
    let unread = Fault::new(FaultKind::HtmlBody).operation("get_website");
    let twipla = stage.twipla.clone();
    let after_check = stage.apply(&plan);
    // The check before the change gets a response.
    let gate = Fault::new(FaultKind::Delay(std::time::Duration::ZERO)).operation("get_website");
    stage.sandbox.inject(gate.times(1));
    stage.sandbox.inject(unread);
    let report = after_check.run().await.unwrap();
    assert_eq!(report.progress.in_doubt, 1, "{report:?}");
    assert!(report.open[0].in_doubt);
    stage.sandbox.clear_faults();
    stage.sandbox.clear_requests();
    let report = stage.apply(&plan).run().await.unwrap();
    assert_eq!(report.progress.already_so, 1, "{report:?}");
    assert_eq!(stage.requests("get_website"), 1);
    assert_eq!(stage.requests("upgrade_website_subscription"), 0);
    assert_eq!(twipla.website("w").get().await.unwrap().package_name, "Pro");
}
