//! Clients in other languages: generated from the contract, compiled, and run through a scenario.

use std::fmt::Write as _;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::json;

use crate::external::{self, Npm, Venv};
use crate::layout::{self, Layout};
use crate::lock::Lock;
use crate::readme;
use crate::sandbox::{self, Sandbox};

/// Guzzle as installed by Debian, so that no package from Composer's registry is needed.
const GUZZLE: &str = "/usr/share/php/GuzzleHttp/autoload.php";
/// What a scenario prints at its end if it succeeded.
const PASSED: &str = "scenario passed";
/// The names of the PyPI tools in `openapi.lock`.
const OPENAPI_GENERATOR: &str = "openapi-generator-cli";
const PYTHON_CLIENT: &str = "openapi-python-client";

/// A generator and the language that it writes.
struct Generator {
    name: &'static str,
    language: &'static str,
    /// The name of the generator in openapi-generator, also used for the folder.
    id: &'static str,
}

const GENERATORS: [Generator; 7] = [
    Generator {
        name: "openapi-generator",
        language: "Go",
        id: "go",
    },
    Generator {
        name: "openapi-generator",
        language: "TypeScript",
        id: "typescript-fetch",
    },
    Generator {
        name: "openapi-generator",
        language: "Python",
        id: "python",
    },
    Generator {
        name: "openapi-generator",
        language: "PHP",
        id: "php",
    },
    Generator {
        name: "openapi-generator",
        language: "Java",
        id: "java",
    },
    Generator {
        name: PYTHON_CLIENT,
        language: "Python",
        id: "openapi-python-client",
    },
    Generator {
        name: "openapi-typescript",
        language: "TypeScript",
        id: "openapi-typescript",
    },
];

/// The documents to generate clients from. The scenario uses the second one.
const DOCUMENTS: [&str; 3] = ["twipla-3as", "twipla-3as-management", "twipla-3as-data"];

struct Tools {
    generator: Venv,
    python_client: Venv,
    npm: Npm,
    lock: Lock,
    folder: PathBuf,
}

/// Generates, compiles and runs all clients, and writes the results into `openapi/README.md`.
pub(crate) fn run(layout: &Layout, lock: &Lock) -> Result<()> {
    for (program, package) in [
        ("go", "golang-go"),
        ("php", "php-cli"),
        ("java", "default-jre-headless"),
    ] {
        ensure!(
            external::find(program).is_some(),
            "{program} is missing: install it (on Debian: `apt-get install {package}`)"
        );
    }
    ensure!(
        Path::new(GUZZLE).exists(),
        "Guzzle is missing: install it (on Debian: `apt-get install php-guzzlehttp-guzzle`)"
    );
    let folder = layout.root().join("target/bindings");
    if folder.exists() {
        fs::remove_dir_all(&folder).context("cannot empty target/bindings")?;
    }
    fs::create_dir_all(&folder).context("cannot make target/bindings")?;
    let tools = Tools {
        generator: Venv::with(layout, lock, OPENAPI_GENERATOR)?,
        python_client: Venv::with(layout, lock, PYTHON_CLIENT)?,
        npm: Npm::with(layout, lock, "typescript")?,
        lock: lock.clone(),
        folder,
    };
    // The generated Python imports its own package by name.
    let mut rows = String::from(
        "| generator | language | accepted | compiles | scenario |\n|---|---|---|---|---|\n",
    );
    let scratch = tempfile::tempdir().context("cannot make a temporary folder")?;
    let sandbox = Sandbox::start(layout, scratch.path())?;
    for generator in &GENERATORS {
        let mut compiled = "yes";
        for document in DOCUMENTS {
            let input = layout.openapi().join(document).with_extension("json");
            let client = tools.folder.join(format!("{}-{document}", generator.id));
            generate(&tools, generator, &input, &client)?;
            compiled = compile(&tools, generator, &client).with_context(|| {
                format!(
                    "{} for {} of {document}",
                    generator.name, generator.language
                )
            })?;
        }
        let client = tools
            .folder
            .join(format!("{}-{}", generator.id, DOCUMENTS[1]));
        let scenario = run_scenario(&tools, generator, &client, &sandbox)
            .with_context(|| format!("scenario: {} for {}", generator.name, generator.language))?;
        println!(
            "{} for {}: accepted, compiles: {compiled}, scenario: {scenario}",
            generator.name, generator.language
        );
        let version = match generator.name {
            "openapi-generator" => lock.tool(OPENAPI_GENERATOR)?,
            other => lock.tool(other)?,
        };
        writeln!(
            rows,
            "| {} {version} (`{}`) | {} | yes | {compiled} | {scenario} |",
            generator.name, generator.id, generator.language
        )?;
    }
    write_matrix(layout, &rows)
}

fn write_matrix(layout: &Layout, rows: &str) -> Result<()> {
    let path = layout.contract_readme();
    let text = fs::read_to_string(&path).context("cannot read openapi/README.md")?;
    let new = readme::with_bindings(&text, rows)?;
    if new != text {
        layout::write_atomically(&path, &new)?;
        println!("wrote {}", layout.show(&path));
    }
    Ok(())
}

fn generate(tools: &Tools, generator: &Generator, input: &Path, client: &Path) -> Result<()> {
    match generator.name {
        "openapi-generator" => {
            let mut command = tools.generator.command("openapi-generator-cli");
            command.args(["generate", "--generator-name", generator.id, "--input-spec"]);
            output_of(command.arg(input).arg("--output").arg(client))?;
        }
        PYTHON_CLIENT => {
            fs::create_dir_all(client)?;
            let mut command = tools.python_client.command(PYTHON_CLIENT);
            command.args(["generate", "--fail-on-warning", "--meta", "none", "--path"]);
            output_of(
                command
                    .arg(input)
                    .arg("--output-path")
                    .arg(client.join("twipla_client")),
            )?;
        }
        _ => {
            fs::create_dir_all(client)?;
            let mut command = external::npx(&tools.lock, generator.name, generator.name)?;
            output_of(
                command
                    .arg(input)
                    .arg("--output")
                    .arg(client.join("index.ts")),
            )?;
        }
    }
    Ok(())
}

/// Compiles a client, or returns why it is not compiled here.
fn compile(tools: &Tools, generator: &Generator, client: &Path) -> Result<&'static str> {
    match generator.id {
        "go" => output_of(go(client).args(["build", "./"]))?,
        "typescript-fetch" | "openapi-typescript" => {
            output_of(typescript(tools, client).args(["--noEmit", "index.ts"]))?
        }
        "python" => {
            let requirements = client.join("requirements.txt");
            let mut pip = tools.generator.command("python");
            pip.args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--requirement",
            ]);
            output_of(pip.arg(requirements))?;
            output_of(
                tools
                    .generator
                    .command("python")
                    .current_dir(client)
                    .args(["-c", "import openapi_client"]),
            )?
        }
        PYTHON_CLIENT => output_of(
            tools
                .python_client
                .command("python")
                .current_dir(client)
                .args(["-m", "compileall", "-q", "twipla_client"]),
        )?,
        "php" => {
            for file in files(&client.join("lib"), "php")? {
                output_of(Command::new("php").arg("-l").arg(file))?;
            }
            String::new()
        }
        _ => return Ok("not tried: its libraries are on Maven Central"),
    };
    Ok("yes")
}

/// Runs the scenario of a language and returns the result.
fn run_scenario(
    tools: &Tools,
    generator: &Generator,
    client: &Path,
    sandbox: &Sandbox,
) -> Result<&'static str> {
    let put = |name: &str, text: &str| -> Result<()> {
        let path = client.join(name);
        fs::create_dir_all(path.parent().unwrap_or(client))?;
        layout::write_atomically(&path, text)
    };
    let mut command = match generator.id {
        "go" => {
            put("scenario/main.go", include_str!("bindings/scenario.go"))?;
            let mut command = go(client);
            command.args(["run", "./scenario"]);
            command
        }
        "typescript-fetch" => {
            put("scenario.ts", include_str!("bindings/scenario.ts"))?;
            output_of(typescript(tools, client).args(["--outDir", "js", "scenario.ts"]))?;
            let mut command = Command::new("node");
            command.arg("js/scenario.js");
            command
        }
        "python" => {
            put("scenario.py", include_str!("bindings/scenario.py"))?;
            let mut command = tools.generator.command("python");
            command.arg("scenario.py");
            command
        }
        PYTHON_CLIENT => {
            put("scenario.py", include_str!("bindings/scenario_opc.py"))?;
            let mut command = tools.python_client.command("python");
            command.arg("scenario.py");
            command
        }
        "php" => {
            put("scenario.php", include_str!("bindings/scenario.php"))?;
            let mut command = Command::new("php");
            // The generated models use features that newer PHP deprecates but still supports.
            command.args([
                "-d",
                "error_reporting=E_ALL & ~E_DEPRECATED",
                "scenario.php",
            ]);
            command.env("TWIPLA_GUZZLE", GUZZLE);
            command
        }
        "java" => return Ok("not run"),
        _ => return Ok("types only"),
    };
    let partner = sandbox
        .partners
        .iter()
        .find(|partner| partner.model == "website");
    let partner = partner.context("the sandbox has no partner under the website model")?;
    unknown_value_in_the_next_list(&sandbox.base_url)?;
    command
        .current_dir(client)
        .env("TWIPLA_BASE_URL", &sandbox.base_url)
        .env("TWIPLA_TOKEN", sandbox::token(partner)?);
    let output = output_of(&mut command)?;
    ensure!(output.contains(PASSED), "it did not finish:\n{output}");
    Ok("passes")
}

fn go(client: &Path) -> Command {
    let mut command = Command::new("go");
    command.current_dir(client).env("GOFLAGS", "-mod=mod");
    command
}

fn typescript(tools: &Tools, client: &Path) -> Command {
    let mut command = tools.npm.command("tsc");
    command.current_dir(client).args([
        "--strict",
        "--target",
        "es2020",
        "--module",
        "commonjs",
        "--moduleResolution",
        "node",
        "--lib",
        "es2020,dom",
    ]);
    command
}

/// Makes the sandbox put a value that the contract does not have into its next list of websites.
fn unknown_value_in_the_next_list(base_url: &str) -> Result<()> {
    let address = base_url.trim_start_matches("http://");
    let body =
        json!({ "kind": "unknownEnumValue", "operation": "list_websites", "times": 1 }).to_string();
    let mut stream = TcpStream::connect(address).context("cannot reach the sandbox")?;
    write!(
        stream,
        "POST /__sandbox/faults HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )?;
    let mut response = String::new();
    stream
        .read_to_string(&mut response)
        .context("the sandbox did not respond")?;
    ensure!(
        response.starts_with("HTTP/1.1 204"),
        "the sandbox did not accept the fault:\n{response}"
    );
    Ok(())
}

fn files(folder: &Path, ending: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?
    {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path, ending)?);
        } else if path
            .extension()
            .is_some_and(|extension| extension == ending)
        {
            found.push(path);
        }
    }
    Ok(found)
}

/// Runs a program that output_of succeed, and returns its output.
fn output_of(command: &mut Command) -> Result<String> {
    let output = external::run(command)?;
    if !output.success {
        bail!("{command:?} failed:\n{}", output.all);
    }
    Ok(output.all)
}
