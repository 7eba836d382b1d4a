//! The output of `--help`; the examples in it are tested next to the arguments.

use std::fmt::Write as _;

use crate::support::{Stage, assert_runs, run_script, settings};

#[tokio::test]
async fn help_of_the_program_and_its_commands() {
    let stage = Stage::start().await;
    assert_runs!(
        stage,
        "help",
        "--help",
        "-h",
        "subscription --help",
        "subscription upgrade --help"
    );
}

#[tokio::test]
async fn every_command_has_help_with_examples() {
    let stage = Stage::start().await;
    let mut text = String::new();
    let mut commands = vec![String::new()];
    while let Some(command) = commands.pop() {
        let help = stage.run(&format!("{command} --help")).await.ok().stdout;
        assert!(
            help.contains("Examples:\n") || help.contains("\nCommands:\n"),
            "{command}: {help}"
        );
        writeln!(text, "{}", command.trim()).unwrap();
        let below = help.split("\nCommands:\n").nth(1).unwrap_or_default();
        let names = below.lines().take_while(|line| !line.is_empty());
        for line in names.filter(|line| line.starts_with("  ") && !line.starts_with("   ")) {
            let name = line.split_whitespace().next().unwrap();
            if name != "help" {
                commands.push(format!("{command} {name}"));
            }
        }
    }
    settings().bind(|| insta::assert_snapshot!("commands", text));
}

#[tokio::test]
async fn manual_pages_are_written_for_every_command() {
    let stage = Stage::start().await;
    let page = stage.run("man").await.ok().stdout;
    assert!(
        page.contains(".TH twipla 1") && page.contains("Examples"),
        "{page}"
    );
    stage.run("man --out pages/man1").await.ok();
    let page =
        std::fs::read_to_string(stage.path("pages/man1/twipla-subscription-upgrade.1")).unwrap();
    assert!(
        page.contains("Move to a larger package immediately"),
        "{page}"
    );
}

#[tokio::test]
async fn shells_complete_commands_and_live_ids() {
    let mut stage = Stage::start().await;
    let script = stage.run("completion bash").await.ok().stdout;
    assert!(
        script.contains("complete") && script.contains("twipla"),
        "{script}"
    );
    for shell in ["zsh", "fish", "powershell", "elvish"] {
        assert!(
            !stage
                .run(&format!("completion {shell}"))
                .await
                .ok()
                .stdout
                .is_empty()
        );
    }
    stage.set("COMPLETE", "fish");
    let ids = stage.run("-- twipla websites get ''").await.ok().stdout;
    assert!(ids.contains("site-1\texample.com"), "{ids}");
    let packages = stage.run("-- twipla packages get Uni").await.ok().stdout;
    assert!(
        packages.contains("Unicorn yearly\t28790.4 EUR yearly"),
        "{packages}"
    );
    let verbs = stage.run("-- twipla subscription up").await.ok().stdout;
    assert!(verbs.starts_with("upgrade"), "{verbs}");
    // Without a server there are no ids, and no error.
    stage.set("TWIPLA_BASE_URL", "http://127.0.0.1:9");
    let run = stage.run("-- twipla websites get ''").await.ok();
    assert!(
        !run.stdout.contains("site-1") && run.stderr.is_empty(),
        "{run:?}"
    );
}

#[cfg(unix)]
#[tokio::test]
async fn bash_completes_with_the_printed_script() {
    let stage = Stage::start().await;
    let script = "source <(twipla completion bash)
        COMP_WORDS=(twipla websites get '') COMP_CWORD=3
        $(complete -p twipla | sed 's/.*-F \\([^ ]*\\).*/\\1/') twipla '' get
        echo \"${COMPREPLY[@]}\"";
    std::fs::write(stage.path("complete.bash"), script).unwrap();
    let run = run_script(&stage, "bash complete.bash").await.ok();
    assert!(run.stdout.starts_with("site-1 "), "{run:?}");
}
