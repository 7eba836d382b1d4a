//! Profiles: written, selected, overridden, and never printed with a secret.

use crate::support::{Stage, assert_runs};

#[tokio::test]
async fn profiles_are_added_used_shown_and_removed() {
    let stage = Stage::start().await.without_variables();
    let id = "7128840a-5347-49a4-8dfa-9022d8dad21a";
    let server = stage.sandbox.base_url().to_owned();
    assert_runs!(
        stage,
        "profiles",
        "profile list",
        &format!("profile add shop --partner {id} --key-file partner.key --environment stage"),
        &format!("profile add ci --partner {id} --key-variable CI_KEY --base-url {server}"),
        &format!("profile add vault --partner {id} --key-command 'op read \"op://a b/key\"'"),
        "profile list",
        "profile use ci",
        "profile show",
        "profile show shop -o json",
        "profile show nope",
        "profile remove shop",
        "profile remove shop --yes",
        "profile add bad --key-file partner.key",
        &format!("profile add bad --partner {id} --key-file no.key"),
        &format!("profile add 'b d' --partner {id} --key-variable K"),
    );
}

#[tokio::test]
async fn a_profile_selects_its_server_and_changes_name_it() {
    let mut stage = Stage::start().await.without_variables();
    let (id, server) = (stage.partner.id(), stage.sandbox.base_url().to_owned());
    let add = format!("profile add shop --partner {id} --key-file partner.key --base-url {server}");
    stage.run(&add).await.ok();
    stage.run("auth check").await.ok();
    let run = stage
        .run("customers create cust-2 cust-2@example.com")
        .await
        .ok();
    let expected = format!("create the customer cust-2 as partner {id} on {server} (profile shop)");
    assert!(run.stderr.contains(&expected), "{run:?}");
    // A read prints no note.
    assert_eq!(stage.run("customers list").await.ok().stderr, "");
    // A variable overrides the profile, with a note.
    stage.set("TWIPLA_PARTNER_ID", "00000000-0000-4000-8000-000000000001");
    let run = stage.run("customers list").await;
    assert_eq!(run.code, Some(4), "{run:?}");
    assert!(
        run.stderr
            .contains("TWIPLA_PARTNER_ID overrides the profile shop"),
        "{run:?}"
    );
    // A program that uses the library behaves the same.
    stage.set("TWIPLA_PROFILE", "");
    let run = stage.run("customers list").await;
    assert_eq!(run.code, Some(2), "{run:?}");
}

#[cfg(unix)]
#[tokio::test]
async fn the_key_is_copied_only_on_request() {
    use std::os::unix::fs::PermissionsExt as _;

    let stage = Stage::start().await.without_variables();
    let (id, server) = (stage.partner.id(), stage.sandbox.base_url().to_owned());
    let add = format!("profile add shop --partner {id} --key-file partner.key --base-url {server}");
    stage.run(&add).await.ok();
    let file = stage.path("config/twipla/profiles.toml");
    assert!(
        !std::fs::read_to_string(&file)
            .unwrap()
            .contains("PRIVATE KEY")
    );
    stage.run(&format!("{add} --copy-key")).await.ok();
    assert!(
        std::fs::read_to_string(&file)
            .unwrap()
            .contains("PRIVATE KEY")
    );
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    std::fs::remove_file(stage.path("partner.key")).unwrap();
    stage.run("customers list").await.ok();
    for line in [
        "profile show shop",
        "profile list -o json",
        "auth check -o json",
    ] {
        let run = stage.run(line).await.ok();
        assert!(
            !run.stdout.contains("PRIVATE") && !run.stdout.contains("MII"),
            "{run:?}"
        );
    }
}

#[tokio::test]
async fn auth_check_shows_partner_server_and_clocks() {
    let stage = Stage::start().await;
    assert_runs!(stage, "auth_check", "auth check");
    let check = stage.run("auth check -o json").await.ok().json();
    assert_eq!(check["model"], "website");
    assert!(check["clockDifferenceSeconds"].as_i64().unwrap().abs() < 60);
}

#[tokio::test]
async fn auth_check_detects_a_wrong_clock_and_an_unknown_key() {
    let ahead = chrono::TimeDelta::hours(2);
    let sandbox = twipla_sandbox::Sandbox::builder().clock_offset(ahead);
    let stage = Stage::on(sandbox.start().await.unwrap());
    let check = stage.run("auth check -o json").await.ok().json();
    let difference = check["clockDifferenceSeconds"].as_i64().unwrap();
    assert!((7000..7400).contains(&difference), "{check}");

    let mut stage = Stage::start().await;
    let other = stage.sandbox.account_partner();
    std::fs::write(stage.path("other.key"), other.private_key_pem()).unwrap();
    stage.set("TWIPLA_PRIVATE_KEY_FILE", "other.key");
    let run = stage.run("auth check").await;
    assert_eq!(run.code, Some(4), "{run:?}");
    assert!(
        run.stderr.contains("check partner, key and environment"),
        "{run:?}"
    );
}
