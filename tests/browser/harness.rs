//! Starts a browser for each scenario and closes it afterwards.

use std::env;
use std::io::{BufRead, BufReader};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use libtest_mimic::{Failed, Trial};
use tempfile::TempDir;
use thirtyfour::{ChromiumLikeCapabilities, DesiredCapabilities, LoggingPrefsLogLevel, WebDriver};

use crate::page::Page;

/// The tools required by the scenarios.
#[derive(Clone)]
pub(crate) struct Tools {
    chromium: PathBuf,
    driver: PathBuf,
    /// The source of axe-core.
    pub(crate) axe: PathBuf,
}

impl Tools {
    /// Finds the tools, or returns the first one that is missing.
    pub(crate) fn find() -> Result<Self, String> {
        let axe = root().join("target/axe/node_modules/axe-core/axe.min.js");
        if !axe.is_file() {
            return Err("axe-core is not installed".to_owned());
        }
        Ok(Self {
            chromium: program("chromium")?,
            driver: program("chromedriver")?,
            axe,
        })
    }
}

/// Reports whether scenarios must fail, rather than be skipped, without a
/// browser.
pub(crate) fn required() -> bool {
    env::var_os("TWIPLA_BROWSER").is_some_and(|value| value == "required")
}

/// Creates a test that runs a scenario with a page of a new browser, or skips it without tools.
pub(crate) fn scenario<F: Future<Output = ()>>(
    name: &str,
    tools: Option<&Tools>,
    run: impl FnOnce(Page) -> F + Send + 'static,
) -> Trial {
    let skip = tools.is_none();
    let tools = tools.cloned();
    Trial::test(name, move || match tools {
        Some(tools) => in_browser(&tools, run),
        None => Err(Failed::from("there is no browser on this machine")),
    })
    .with_ignored_flag(skip)
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn in_browser<F: Future<Output = ()>>(
    tools: &Tools,
    run: impl FnOnce(Page) -> F,
) -> Result<(), Failed> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let driver = Driver::start(&tools.driver)?;
        let browser = WebDriver::new(driver.address(), capabilities(tools)?).await?;
        let axe = std::fs::read_to_string(&tools.axe)?;
        browser
            .run_and_quit(|browser| async move {
                run(Page::new(browser, axe)).await;
                Ok::<(), Failed>(())
            })
            .await
            .map_err(|error| Failed::from(format!("cannot close the browser: {error:?}")))
    })
}

fn capabilities(tools: &Tools) -> Result<thirtyfour::ChromeCapabilities, Failed> {
    let mut capabilities = DesiredCapabilities::chrome();
    capabilities.set_binary(
        tools
            .chromium
            .to_str()
            .ok_or("invalid path of chromium: expected UTF-8")?,
    )?;
    for argument in [
        "--headless=new",
        // CI runs as root, where Chromium's own sandbox does not work. It loads only our own pages.
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--disable-gpu",
        "--window-size=1280,900",
        "--lang=en-GB",
        "--no-first-run",
        "--disable-background-networking",
    ] {
        capabilities.add_arg(argument)?;
    }
    capabilities.set_logging_prefs("browser", LoggingPrefsLogLevel::All)?;
    // Logs each request of a page.
    capabilities.set_logging_prefs("performance", LoggingPrefsLogLevel::All)?;
    Ok(capabilities)
}

/// A chromedriver process, killed when dropped.
struct Driver {
    process: Child,
    port: u16,
    /// For the profile and whatever else the browser writes: not all of it is deleted when it ends.
    _folder: TempDir,
}

impl Driver {
    fn start(program: &Path) -> Result<Self, Failed> {
        let folder = tempfile::tempdir()?;
        let mut process = Command::new(program)
            .arg("--port=0")
            .env("TMPDIR", folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let output = process.stdout.take().ok_or("no output of chromedriver")?;
        let port = BufReader::new(output)
            .lines()
            .map_while(Result::ok)
            .find_map(|line| {
                line.strip_prefix("ChromeDriver was started successfully on port ")?
                    .trim_end_matches('.')
                    .parse()
                    .ok()
            });
        let mut driver = Self {
            process,
            port: 0,
            _folder: folder,
        };
        driver.port = port.ok_or("chromedriver ended before it named its port")?;
        Ok(driver)
    }

    fn address(&self) -> String {
        format!("http://{}:{}", Ipv4Addr::LOCALHOST, self.port)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // The process may already have exited.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn program(name: &str) -> Result<PathBuf, String> {
    env::split_paths(&env::var_os("PATH").unwrap_or_default())
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
        .ok_or_else(|| format!("{name} is not installed"))
}

/// Tests of the harness itself: its checks detect problems.
pub(crate) fn scenarios(tools: Option<&Tools>) -> Vec<Trial> {
    vec![
        scenario(
            "harness_detects_an_inaccessible_page",
            tools,
            |page| async move {
                page.goto("data:text/html,<title>x</title><img src='data:,'>")
                    .await;
                assert!(!page.accessibility_problems().await.is_empty());
            },
        ),
        scenario(
            "harness_detects_an_error_in_the_console",
            tools,
            |page| async move {
                page.goto("data:text/html,<script>nothing.at.all()</script>")
                    .await;
                assert_eq!(page.console_errors().await.len(), 1);
            },
        ),
        scenario(
            "harness_detects_a_request_to_another_host",
            tools,
            |page| async move {
                page.goto("data:text/html,<img src='http://192.0.2.1/x.png'>")
                    .await;
                assert_eq!(page.foreign_requests().await, ["http://192.0.2.1/x.png"]);
            },
        ),
    ]
}
