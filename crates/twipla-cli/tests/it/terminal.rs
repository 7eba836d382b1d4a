//! On a terminal: questions, widths, plots, colours, and a shell in the sandbox.

use std::process::Command;

use rexpect::process::WaitStatus;
use rexpect::session::{PtySession, spawn_command};
use unicode_width::UnicodeWidthStr as _;

use crate::support::{Stage, TWIPLA};

/// How long a program may print nothing before the test fails.
const PATIENCE: Option<u64> = Some(30_000);

/// Runs a program on its own terminal, and the user's actions on a thread that may block.
async fn on_terminal(
    stage: &Stage,
    program: &str,
    arguments: &[&str],
    person: impl FnOnce(&mut PtySession) -> Result<(), rexpect::error::Error> + Send + 'static,
) -> Option<i32> {
    let mut command = Command::new(program);
    stage.prepare(&mut command);
    command
        .env("TERM", "xterm-256color")
        .env("SHELL", "/bin/sh")
        .env("PS1", "ready> ")
        .args(arguments);
    let ended = tokio::task::spawn_blocking(move || {
        let mut session = spawn_command(command, PATIENCE).unwrap();
        person(&mut session).unwrap();
        exit_code(&session)
    });
    ended.await.unwrap()
}

/// Returns all output until the end. rexpect treats each byte as a character.
fn rest(session: &mut PtySession) -> Result<String, rexpect::error::Error> {
    let bytes = session
        .exp_eof()?
        .chars()
        .map(|c| u8::try_from(c).unwrap())
        .collect();
    Ok(String::from_utf8(bytes).unwrap())
}

fn exit_code(session: &PtySession) -> Option<i32> {
    match session.process().wait().unwrap() {
        WaitStatus::Exited(_, code) => Some(code),
        _ => None,
    }
}

#[tokio::test]
async fn destructive_changes_ask_for_confirmation() {
    let stage = Stage::start().await;
    let delete = ["websites", "delete", "site-1"];
    let code = on_terminal(&stage, TWIPLA, &delete, |session| {
        session.exp_string("Delete the website site-1 and all data as partner")?;
        session.exp_string("[y/N]")?;
        session.send_line("")?;
        session.exp_string("not confirmed; nothing was done")?;
        session.exp_eof().map(drop)
    });
    assert_eq!(code.await, Some(1));
    assert!(stage.client().website("site-1").get().await.is_ok());
    let code = on_terminal(&stage, TWIPLA, &delete, |session| {
        session.exp_string("[y/N]")?;
        session.send_line("y")?;
        session.exp_string("site-1: deleted")?;
        session.exp_eof().map(drop)
    });
    assert_eq!(code.await, Some(0));
    assert!(
        stage
            .client()
            .website("site-1")
            .get()
            .await
            .unwrap_err()
            .is_not_found()
    );
}

#[tokio::test]
async fn an_apply_that_deletes_asks_and_shows_progress() {
    let stage = Stage::start().await;
    let gone = "customer,email\ncust-3,cust-3@example.com\n";
    std::fs::write(stage.path("gone.csv"), gone).unwrap();
    let apply = ["apply", "gone.csv", "--prune", "--force"];
    let code = on_terminal(&stage, TWIPLA, &apply, |session| {
        session.exp_string("- delete the customer with their website")?;
        session.exp_string("Apply 2 actions as partner")?;
        session.send_line("y")?;
        let rest = rest(session)?;
        assert!(rest.contains("2/2"), "{rest:?}");
        assert!(rest.contains("done                 2"), "{rest:?}");
        Ok(())
    });
    assert_eq!(code.await, Some(0));
    assert!(
        stage
            .client()
            .customer("cust-1")
            .get()
            .await
            .unwrap_err()
            .is_not_found()
    );
}

#[tokio::test]
async fn a_question_can_be_interrupted() {
    let stage = Stage::start().await;
    let code = on_terminal(
        &stage,
        TWIPLA,
        &["customers", "delete", "cust-1"],
        |session| {
            session.exp_string("[y/N]")?;
            session.send_control('c')?;
            session.exp_string("interrupted")?;
            session.exp_eof().map(drop)
        },
    );
    assert_eq!(code.await, Some(130));
    assert!(stage.client().customer("cust-1").get().await.is_ok());
}

#[tokio::test]
async fn profile_add_asks_for_missing_values() {
    let stage = Stage::start().await.without_variables();
    let (id, server) = (
        stage.partner.id().to_string(),
        stage.sandbox.base_url().to_owned(),
    );
    let add = ["profile", "add", "shop", "--base-url", &server];
    let code = on_terminal(&stage, TWIPLA, &add, move |session| {
        session.exp_string("Partner id")?;
        session.send_line(&id)?;
        session.exp_string("File of the private key")?;
        session.send_line("partner.key")?;
        session.exp_string("shop: added")?;
        session.exp_eof().map(drop)
    });
    assert_eq!(code.await, Some(0));
    stage.run("auth check").await.ok();
}

#[tokio::test]
async fn a_table_fits_the_terminal_and_has_colours() {
    let mut stage = Stage::start().await;
    let domain = format!("{}.example.com", "a".repeat(60));
    stage
        .client()
        .websites()
        .create("cust-1", "site-2", domain)
        .await
        .unwrap();
    let script = "stty cols 60 rows 24; twipla websites list; twipla websites list | cat";
    let (sender, output) = std::sync::mpsc::channel();
    let arguments = ["-c", script];
    let code = on_terminal(&stage, "sh", &arguments, move |session| {
        sender
            .send(rest(session)?)
            .map_err(|_| rexpect::error::Error::EmptyProgramName)
    });
    assert_eq!(code.await, Some(0));
    let output = output.recv().unwrap();
    let lines: Vec<_> = output.lines().collect();
    assert_eq!(lines.len(), 6, "{output}");
    assert!(lines[0].starts_with("\u{1b}[1mWEBSITE"), "{output}");
    for line in &lines[1..3] {
        assert!(line.width() <= 60, "{line}");
    }
    assert!(output.contains("aa…"), "{output}");
    // A pipe gets the whole table, without colours.
    assert!(
        lines[3].starts_with("WEBSITE") && lines[5].contains(&"a".repeat(60)),
        "{output}"
    );

    stage.set("NO_COLOR", "1");
    let code = on_terminal(&stage, TWIPLA, &["websites", "list"], |session| {
        assert!(!session.exp_eof()?.contains('\u{1b}'));
        Ok(())
    });
    assert_eq!(code.await, Some(0));
}

#[tokio::test]
async fn a_graph_is_plotted_by_default() {
    let stage = Stage::start().await.without_variables();
    let graph = [
        "--sandbox",
        "analytics",
        "graph",
        "site-1",
        "--from",
        "2026-01-01",
        "--to",
        "2026-01-31",
    ];
    let code = on_terminal(&stage, TWIPLA, &graph, |session| {
        assert!(rest(session)?.contains("01-07──"));
        Ok(())
    });
    assert_eq!(code.await, Some(0));
    let plain = [&graph[..], &["--no-plot"]].concat();
    let code = on_terminal(&stage, TWIPLA, &plain, |session| {
        assert!(!rest(session)?.contains("──"));
        Ok(())
    });
    assert_eq!(code.await, Some(0));
}

#[tokio::test]
async fn a_sandbox_without_a_command_is_a_shell() {
    let stage = Stage::start().await.without_variables();
    let code = on_terminal(&stage, TWIPLA, &["sandbox", "--examples"], |session| {
        session.exp_string("with a sandbox at http://127.0.0.1:")?;
        session.exp_string("ready> ")?;
        // Ctrl-C is handled by the shell.
        session.send_control('c')?;
        session.exp_string("ready> ")?;
        session.send_line("twipla customers get cust-2 -o csv --fields email")?;
        session.exp_string("cust-2@example.com")?;
        session.send_line("exit 3")?;
        session.exp_eof().map(drop)
    });
    assert_eq!(code.await, Some(3));
}
