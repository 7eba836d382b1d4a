//! The program: its output, its files, its exit.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::support::Folder;

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_twipla-sandbox"));
    command
        .args(arguments)
        .env_remove("RUST_LOG")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// The child process, and the line that it prints when it starts listening.
fn listening(mut child: Child) -> (Child, Value) {
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap())
        .read_line(&mut line)
        .unwrap();
    let line = serde_json::from_str(&line).expect("one line of JSON");
    (child, line)
}

/// The credentials written at a start, and the address it listens on.
fn credentials_of_a_start(arguments: &[&str]) -> (Value, String) {
    let (mut child, line) = listening(program(arguments).spawn().unwrap());
    child.kill().unwrap();
    child.wait().unwrap();
    let file = line["credentials"].as_str().unwrap();
    let text = std::fs::read_to_string(file).unwrap();
    let listening = line["listening"].as_str().unwrap().to_owned();
    (serde_json::from_str(&text).unwrap(), listening)
}

#[test]
fn start_with_the_same_credentials_has_the_same_partners() {
    let folder = Folder::new("again");
    let arguments = ["--listen", "localhost:0", "--credentials", folder.text()];
    let key_of = |described: &Value, partner: usize| {
        let file = described["partners"][partner]["privateKeyFile"].as_str();
        std::fs::read_to_string(file.unwrap()).unwrap()
    };
    let (first, _) = credentials_of_a_start(&arguments);
    let keys = [key_of(&first, 0), key_of(&first, 1)];

    // A partner with its own key is restored without the option.
    let own = PathBuf::from(first["partners"][0]["publicKeyFile"].as_str().unwrap());
    let id = "7128840a-5347-49a4-8dfa-9022d8dad21a";
    let partner = format!("id={id},model=website,public-key={}", own.display());
    let mut with_partner = arguments.to_vec();
    with_partner.extend(["--partner", &partner]);
    let (second, _) = credentials_of_a_start(&with_partner);
    let (third, listening) = credentials_of_a_start(&arguments);

    let partners = |described: &Value| described["partners"].as_array().unwrap().clone();
    assert_eq!(partners(&second)[..2], partners(&first));
    assert_eq!(partners(&third), partners(&second));
    assert_eq!(partners(&third)[2]["id"], id);
    assert_eq!([key_of(&third, 0), key_of(&third, 1)], keys);
    assert_eq!(third["baseUrl"], listening, "the address is the new one");
}

#[test]
fn damaged_credentials_are_named_and_not_modified() {
    let folder = Folder::new("damaged");
    let arguments = ["--listen", "127.0.0.1:0", "--credentials", folder.text()];
    let (first, _) = credentials_of_a_start(&arguments);
    let key = first["partners"][0]["privateKeyFile"].as_str().unwrap();
    std::fs::write(key, "not a key").unwrap();
    let error = startup_error(&arguments);
    assert!(error.contains("expected an RSA key"), "{error}");
    assert!(error.contains(key), "{error} does not name {key}");
    assert!(
        error.contains(first["partners"][0]["id"].as_str().unwrap()),
        "{error}"
    );
    assert_eq!(std::fs::read_to_string(key).unwrap(), "not a key");

    let file = folder.0.join("sandbox.json");
    std::fs::write(&file, "{").unwrap();
    let error = startup_error(&arguments);
    assert!(error.contains("sandbox.json"), "{error}");
    assert!(error.contains("remove the folder"), "{error}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "{");
}

#[cfg(unix)]
#[test]
fn program_keeps_the_state_of_a_seed_and_serves_tls() {
    let folder = Folder::new("flags");
    let state = Folder::new("flags-state");
    std::fs::create_dir_all(&state.0).unwrap();
    let file = state.0.join("state.json");
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/world.json");
    let mut arguments = vec!["--listen", "localhost:0", "--credentials", folder.text()];
    arguments.extend([
        "--tls",
        "--seed",
        example,
        "--state",
        file.to_str().unwrap(),
    ]);
    let (mut child, line) = listening(program(&arguments).spawn().unwrap());
    assert!(
        line["listening"].as_str().unwrap().starts_with("https://"),
        "{line}"
    );
    assert!(folder.0.join("ca.pem").is_file());
    let kill = Command::new("kill").arg(child.id().to_string()).status();
    assert!(kill.unwrap().success());
    assert!(child.wait().unwrap().success());
    let kept = std::fs::read_to_string(&file).unwrap();
    assert!(kept.contains(r#""version":1"#) && kept.contains("agency-site"));
}

/// Returns the environment of a shell after sourcing a file of the credentials
/// folder.
#[cfg(unix)]
fn sourced(folder: &Folder, file: &str, variable: &str) -> String {
    let script = format!(". '{}/{file}'; printf %s \"${variable}\"", folder.text());
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[cfg(unix)]
#[test]
fn env_file_sets_the_variables_of_a_partner() {
    let folder = Folder::new("it's a folder");
    let arguments = ["--listen", "127.0.0.1:0", "--credentials", folder.text()];
    // The quote in the name tests the quoting of values.
    let link = Folder::new("plain-link");
    let (described, listening) = credentials_of_a_start(&arguments);
    std::os::unix::fs::symlink(&folder.0, &link.0).unwrap();
    for (partner, file) in [(0, "sandbox.env"), (1, "sandbox-account.env")] {
        let partner = &described["partners"][partner];
        for (variable, value) in [
            ("TWIPLA_PARTNER_ID", &partner["id"]),
            ("TWIPLA_PRIVATE_KEY_FILE", &partner["privateKeyFile"]),
            ("TWIPLA_BASE_URL", &Value::from(listening.as_str())),
        ] {
            assert_eq!(sourced(&link, file, variable), value.as_str().unwrap());
        }
    }
    std::fs::remove_file(&link.0).unwrap();
}

#[test]
fn program_prints_its_address_and_writes_credentials() {
    let folder = Folder::new("credentials");
    let mut child = program(&["--listen", "127.0.0.1:0", "--credentials", folder.text()]);
    let (mut child, line) = listening(child.spawn().unwrap());

    let file = line["credentials"].as_str().unwrap();
    let described: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    assert_eq!(described["baseUrl"], line["listening"]);
    let partners = described["partners"].as_array().unwrap();
    let models: Vec<_> = partners
        .iter()
        .map(|partner| partner["model"].as_str().unwrap())
        .collect();
    assert_eq!(models, ["website", "account"]);
    for partner in partners {
        let key = partner["privateKeyFile"].as_str().unwrap();
        assert!(
            std::fs::read_to_string(key)
                .unwrap()
                .contains("BEGIN PRIVATE KEY")
        );
        assert!(
            partner["packages"]
                .as_object()
                .unwrap()
                .contains_key("Free")
        );
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(key).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "keys are private");
        }
    }

    let address = line["listening"]
        .as_str()
        .unwrap()
        .strip_prefix("http://")
        .unwrap();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let request = "GET /v2/3as/packages?secret-query HTTP/1.1\r\nhost: x\r\nauthorization: Bearer s3cret\r\nconnection: close\r\n\r\n";
    std::io::Write::write_all(&mut stream, request.as_bytes()).unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    assert!(response.starts_with("HTTP/1.1 401"), "{response}");
    assert!(
        response.contains(r#"{"error":"invalid access token"}"#),
        "{response}"
    );

    #[cfg(unix)]
    {
        let kill = Command::new("kill")
            .arg(child.id().to_string())
            .status()
            .unwrap();
        assert!(kill.success());
        assert!(
            child.wait().unwrap().success(),
            "a requested stop exits with success"
        );
        let mut log = String::new();
        child.stderr.unwrap().read_to_string(&mut log).unwrap();
        let lines: Vec<_> = log
            .lines()
            .filter(|line| line.contains("/v2/3as/packages"))
            .collect();
        assert_eq!(lines.len(), 1, "one line per request: {log}");
        assert!(
            lines[0].contains("401") && lines[0].contains("list_packages"),
            "{log}"
        );
        assert!(
            !log.contains("s3cret") && !log.contains("secret-query"),
            "{log}"
        );
    }
    #[cfg(not(unix))]
    child.kill().unwrap();
}

#[cfg(unix)]
#[test]
fn sigterm_stops_the_program_within_a_second() {
    use std::io::Write as _;
    use std::net::TcpStream;
    use std::time::{Duration, Instant};

    let folder = Folder::new("terminate");
    let mut child = program(&["--listen", "127.0.0.1:0", "--credentials", folder.text()]);
    let (mut child, line) = listening(child.spawn().unwrap());
    let address = line["listening"].as_str().unwrap();
    let address = address.strip_prefix("http://").unwrap();
    let send = |request: &str| {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        stream
    };
    let fault = r#"{"kind":"hang"}"#;
    let mut added = send(&format!(
        "POST /__sandbox/faults HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{fault}",
        fault.len()
    ));
    let mut response = String::new();
    added.read_to_string(&mut response).unwrap();
    assert!(response.starts_with("HTTP/1.1 204"), "{response}");
    // One request that is never answered, one that is incomplete, and an idle
    // connection.
    let _open = [
        send("GET /v2/3as/packages HTTP/1.1\r\nhost: x\r\n\r\n"),
        send("POST /v2/3as/customers HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n"),
        send(""),
    ];
    std::thread::sleep(Duration::from_millis(100));

    let started = Instant::now();
    let kill = Command::new("kill").arg(child.id().to_string()).status();
    assert!(kill.unwrap().success());
    assert!(child.wait().unwrap().success());
    let took = started.elapsed();
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[cfg(unix)]
#[test]
fn program_fails_if_the_last_changes_are_lost() {
    use std::io::Write as _;

    let (folder, state) = (Folder::new("lost-credentials"), Folder::new("lost-state"));
    std::fs::create_dir_all(&state.0).unwrap();
    let file = state.0.join("state.json");
    let mut arguments = vec!["--listen", "127.0.0.1:0", "--credentials", folder.text()];
    arguments.extend(["--state", file.to_str().unwrap()]);
    let (child, line) = listening(program(&arguments).spawn().unwrap());
    std::fs::remove_dir_all(&state.0).unwrap();
    let address = line["listening"].as_str().unwrap();
    let address = address.strip_prefix("http://").unwrap();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let request = "POST /__sandbox/advance HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 15\r\nconnection: close\r\n\r\n{\"seconds\": 60}";
    stream.write_all(request.as_bytes()).unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    assert!(response.starts_with("HTTP/1.1 204"), "{response}");

    let kill = Command::new("kill").arg(child.id().to_string()).status();
    assert!(kill.unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        error.contains("error: cannot write the state to"),
        "{error}"
    );
}

#[cfg(unix)]
#[test]
fn credentials_folder_is_private() {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    let folder = Folder::new("private");
    let mut child = program(&["--listen", "127.0.0.1:0", "--credentials", folder.text()]);
    let (mut child, _) = listening(child.spawn().unwrap());
    child.kill().unwrap();
    child.wait().unwrap();
    let mode = std::fs::metadata(&folder.0).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);

    std::fs::set_permissions(&folder.0, Permissions::from_mode(0o755)).unwrap();
    let error = startup_error(&["--listen", "127.0.0.1:0", "--credentials", folder.text()]);
    assert!(error.contains("mode 755, expected 700"), "{error}");
    let mode = std::fs::metadata(&folder.0).unwrap().permissions().mode();
    assert_eq!(
        mode & 0o777,
        0o755,
        "the mode of an existing folder is not changed"
    );
}

/// Runs the program with arguments that it must reject, and returns the error.
fn startup_error(arguments: &[&str]) -> String {
    let mut child = program(arguments).spawn().unwrap();
    // If it starts nevertheless, it prints a line; if it exits, it closes its
    // output.
    let mut line = String::new();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut line).unwrap();
    if !line.is_empty() {
        child.kill().unwrap();
        panic!("it starts: {line}");
    }
    let output = child.wait_with_output().unwrap();
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn invalid_arguments_are_rejected_with_a_remedy() {
    let folder = Folder::new("rejected");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let error = startup_error(&["--listen", &address, "--credentials", folder.text()]);
    assert!(
        error.contains(&address) && error.contains("another address"),
        "{error}"
    );

    let error = startup_error(&["--listen", "localhost", "--credentials", folder.text()]);
    assert!(error.contains("as in localhost:8787"), "{error}");

    let error = startup_error(&[
        "--listen",
        "127.0.0.1:0",
        "--credentials",
        "/dev/null/folder",
    ]);
    assert!(
        error.contains("/dev/null/folder") && error.contains("writable"),
        "{error}"
    );

    let id = "7128840a-5347-49a4-8dfa-9022d8dad21a";
    for (partner, expected) in [
        ("id=x,model=website,public-key=f", "expected a UUID"),
        (
            &*format!("id={id},model=other,public-key=f"),
            "expected website or account",
        ),
        (&*format!("id={id},model=website"), "public-key= is missing"),
        (
            &*format!("id={id},model=website,public-key=no-such-file"),
            "no-such-file",
        ),
        ("nonsense", "name=value"),
    ] {
        let error = startup_error(&["--credentials", folder.text(), "--partner", partner]);
        assert!(error.contains(expected), "{partner}: {error}");
    }
}

#[test]
fn help_lists_the_options() {
    let output = program(&["--help"]).output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    for word in [
        "--listen",
        "--credentials",
        "--state",
        "--seed",
        "--tls",
        "--partner",
        "sandbox.json",
    ] {
        assert!(help.contains(word), "{help}");
    }
}
