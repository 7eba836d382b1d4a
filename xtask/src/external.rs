//! External programs: npm and PyPI packages at the versions pinned in `openapi.lock`.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::layout::Layout;
use crate::lock::Lock;

/// The output and result of a program.
#[derive(Debug)]
pub(crate) struct Output {
    /// Standard output.
    pub(crate) out: String,
    /// Standard output and standard error together, for error messages.
    pub(crate) all: String,
    /// Whether it succeeded.
    pub(crate) success: bool,
}

/// Runs a program to its end and returns its output.
pub(crate) fn run(command: &mut Command) -> Result<Output> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run {name}"))?;
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    let all = format!("{out}{}", String::from_utf8_lossy(&output.stderr));
    // npm warns about its own settings, which is unrelated to the contract.
    let all = all
        .lines()
        .filter(|line| !line.starts_with("npm "))
        .collect::<Vec<_>>()
        .join("\n");
    Ok(Output {
        out,
        all,
        success: output.status.success(),
    })
}

/// Returns a command that runs an npm package at the version pinned in `openapi.lock`.
pub(crate) fn npx(lock: &Lock, tool: &str, package: &str) -> Result<Command> {
    let version = lock.tool(tool)?;
    let program = find("npx").context(
        "npx is missing: install Node.js 20 or newer (https://nodejs.org, or `apt-get install nodejs npm`)",
    )?;
    let mut command = Command::new(program);
    command.arg("--yes").arg(format!("{package}@{version}"));
    command
        .env("NO_UPDATE_NOTIFIER", "1")
        .env("REDOCLY_TELEMETRY", "off")
        .env("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true");
    Ok(command)
}

/// A virtual environment with one Python package.
#[derive(Debug)]
pub(crate) struct Venv {
    bin: PathBuf,
}

impl Venv {
    /// Creates the environment below `target/xtask-venv` unless it exists.
    pub(crate) fn with(layout: &Layout, lock: &Lock, package: &str) -> Result<Self> {
        let version = lock.tool(package)?;
        let folder = layout
            .root()
            .join("target/xtask-venv")
            .join(format!("{package}-{version}"));
        let bin = folder.join(if cfg!(windows) { "Scripts" } else { "bin" });
        let venv = Self { bin };
        let done = folder.join("installed");
        if done.exists() {
            return Ok(venv);
        }
        let python = find("python3").or_else(|| find("python")).context(
            "python3 is missing: install Python 3.11 or newer (https://python.org, or `apt-get install python3-venv`)",
        )?;
        println!(
            "installing {package} {version} into {}",
            layout.show(&folder)
        );
        let created = run(Command::new(python)
            .args(["-m", "venv", "--clear"])
            .arg(&folder))?;
        if !created.success {
            bail!(
                "cannot make a virtual environment (on Debian: `apt-get install python3-venv`):\n{}",
                created.all
            );
        }
        let installed = run(venv
            .command("python")
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
            ])
            .arg(format!("{package}=={version}")))?;
        if !installed.success {
            bail!(
                "cannot install {package} {version} from PyPI:\n{}",
                installed.all
            );
        }
        std::fs::write(&done, version)
            .with_context(|| format!("cannot write {}", done.display()))?;
        Ok(venv)
    }

    /// Returns a program of the environment, with the environment's folder first on its path.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.bin.join(program));
        let mut path = vec![self.bin.clone()];
        path.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
        command.env(
            "PATH",
            env::join_paths(path).unwrap_or_else(|_| OsString::from(&self.bin)),
        );
        command.env("PYTHONUNBUFFERED", "1");
        command
    }
}

/// A folder with one npm package.
#[derive(Debug)]
pub(crate) struct Npm {
    bin: PathBuf,
}

impl Npm {
    /// Installs the package below `target/xtask-npm` unless it exists.
    pub(crate) fn with(layout: &Layout, lock: &Lock, package: &str) -> Result<Self> {
        let version = lock.tool(package)?;
        let folder = layout
            .root()
            .join("target/xtask-npm")
            .join(format!("{package}-{version}"));
        let bin = folder.join("node_modules/.bin");
        if bin.exists() {
            return Ok(Self { bin });
        }
        let npm = find("npm").context("npm is missing: install Node.js 20 or newer")?;
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make {}", folder.display()))?;
        let installed = run(Command::new(npm)
            .args(["install", "--no-audit", "--no-fund", "--prefix"])
            .arg(&folder)
            .arg(format!("{package}@{version}")))?;
        if !installed.success {
            bail!(
                "cannot install {package} {version} from npm:\n{}",
                installed.all
            );
        }
        Ok(Self { bin })
    }

    /// Returns a program of the package.
    pub(crate) fn command(&self, program: &str) -> Command {
        Command::new(self.bin.join(program))
    }
}

/// Finds a program on the path.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let endings: &[&str] = if cfg!(windows) {
        &[".exe", ".cmd"]
    } else {
        &[""]
    };
    env::split_paths(&env::var_os("PATH")?)
        .flat_map(|folder| {
            endings
                .iter()
                .map(move |ending| folder.join(format!("{program}{ending}")))
        })
        .find(|path: &PathBuf| is_file(path))
}

fn is_file(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.is_file())
}
