//! Error messages of two lines, and exit codes.

use twipla_sandbox::{Fault, FaultKind};

use crate::support::{Stage, assert_runs};

#[tokio::test]
async fn errors_say_what_happened_and_what_to_do() {
    let stage = Stage::start().await;
    assert_runs!(
        stage,
        "errors",
        "websites get nope",
        "websites get ..",
        "websites list --fields domain,colour",
        "customers create cust-1 other@example.com",
        "customers create cust-1 cust-1@example.com",
        "websites create nobody site-9 example.org",
        "subscription upgrade --website site-1 Free",
        "subscription upgrade --website site-1 Gold",
        "subscription resume --website site-1",
        "api GET /v2/3as/nothing",
        "customers delete cust-1",
        "keys create nope reports --secret-file no/such/folder/reports.key",
        "customers get cust-1 --timeout 0",
        "subscription show",
        "customers lst",
    );
}

#[tokio::test]
async fn each_outcome_has_its_exit_code() {
    let stage = Stage::start().await;
    let code = async |line: &str| stage.run(line).await.code.unwrap();
    assert_eq!(code("customers list").await, 0);
    assert_eq!(code("customers get").await, 2);
    assert_eq!(code("customers get .").await, 2);
    assert_eq!(code("customers get nope").await, 3);
    assert_eq!(code("packages get nope").await, 3);
    assert_eq!(
        code("keys get site-1 7128840a-5347-49a4-8dfa-9022d8dad21a").await,
        3
    );
    assert_eq!(code("customers create cust-1 x@example.com").await, 4);
    assert_eq!(
        code("subscription downgrade --website site-1 Unicorn").await,
        4
    );
    assert_eq!(code("customers delete cust-1 nope --yes").await, 6);
    assert_eq!(code("customers delete nope nobody --yes").await, 3);

    let hang = || Fault::new(FaultKind::Hang).times(20);
    stage.sandbox.inject(hang());
    assert_eq!(code("customers list --timeout 0.4").await, 1);
    stage.sandbox.clear_faults();
    stage.sandbox.inject(hang().operation("create_customer"));
    stage.sandbox.inject(hang().operation("get_customer"));
    assert_eq!(
        code("customers create cust-5 cust-5@example.com --timeout 1").await,
        5
    );
}

#[tokio::test]
async fn an_ambiguous_failure_says_that_the_server_may_have_acted() {
    let stage = Stage::start().await;
    stage
        .sandbox
        .inject(Fault::new(FaultKind::Hang).operation("cancel_website_subscription"));
    stage
        .sandbox
        .inject(Fault::new(FaultKind::Hang).operation("get_website"));
    let run = stage
        .run("subscription cancel --website site-1 --timeout 1")
        .await;
    assert_eq!(run.code, Some(5), "{run:?}");
    assert!(
        run.stderr
            .contains("help:  the server may have carried it out"),
        "{run:?}"
    );
    assert!(!run.stderr.contains("nothing was changed"), "{run:?}");
}

#[tokio::test]
async fn a_change_with_a_lost_response_is_read_back_and_done() {
    let stage = Stage::start().await;
    let lost = |operation: &str| {
        Fault::new(FaultKind::ResetAfterCommit)
            .operation(operation)
            .times(1)
    };
    stage.sandbox.inject(lost("cancel_website_subscription"));
    let run = stage.run("subscription cancel --website site-1").await.ok();
    assert!(
        run.stderr.contains("done, as read back after this failure"),
        "{run:?}"
    );
    stage.sandbox.inject(lost("rename_package"));
    let run = stage
        .run("packages rename 'Basic yearly' 'Shop' -o csv --fields package")
        .await
        .ok();
    assert_eq!(run.stdout, "name\nShop\n");
    stage.sandbox.inject(lost("delete_website"));
    let run = stage.run("websites delete site-1 --yes").await.ok();
    assert!(run.stderr.contains("site-1: deleted"), "{run:?}");
}

#[cfg(unix)]
#[tokio::test]
async fn an_interrupt_ends_with_130_and_warns_about_the_change() {
    let stage = Stage::start().await;
    stage
        .sandbox
        .inject(Fault::new(FaultKind::Hang).operation("cancel_website_subscription"));
    let mut command = tokio::process::Command::new(crate::support::TWIPLA);
    stage.prepare(command.as_std_mut());
    let child = command
        .args(["subscription", "cancel", "--website", "site-1"])
        .stdin(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let pid = child.id().unwrap().to_string();
    while !stage
        .sandbox
        .requests()
        .iter()
        .any(|request| request.path.ends_with("/cancel"))
    {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let kill = tokio::process::Command::new("kill")
        .args(["-INT", &pid])
        .status();
    assert!(kill.await.unwrap().success());
    let output = child.wait_with_output().await.unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    assert!(
        stderr.contains("the server may have carried out the change"),
        "{stderr}"
    );
}

#[tokio::test]
async fn a_lost_secret_is_partly_done() {
    let stage = Stage::start().await;
    let fault = Fault::new(FaultKind::ResetAfterCommit).operation("create_api_key");
    stage.sandbox.inject(fault.times(1));
    let run = stage
        .run("keys create site-1 reports --secret-file reports.key")
        .await;
    assert_eq!(run.code, Some(6), "{run:?}");
    assert!(run.stderr.contains("help:  delete that key"), "{run:?}");
    assert!(!run.stderr.contains("nothing was changed"), "{run:?}");
    assert!(!stage.path("reports.key").exists());
}

#[cfg(unix)]
#[tokio::test]
async fn a_reader_that_closes_the_pipe_is_not_an_error() {
    let stage = Stage::start().await;
    let new = (2..=300)
        .map(|n| twipla::NewCustomer::new(format!("cust-{n}"), format!("c{n}@example.com")));
    assert!(
        stage
            .client()
            .bulk()
            .create_customers(new)
            .await
            .unwrap()
            .is_complete()
    );
    let script = "{ twipla customers list -o json; echo $? >&2; } | head -1";
    let run = crate::support::run_script(&stage, script).await.ok();
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("[\n", "0\n"));
}
