//! The page on paper, printed by a browser of the user's.

use std::{
    io::{Read, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::report::input::{Options, ReportError, ReportInput, WriteSummary};

/// What a Chromium is called, the smallest first.
const NAMES: [&str; 6] = [
    "chromium-headless-shell",
    "chrome-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];

/// How long printing may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// Prints the page.
pub fn write(
    input: &ReportInput<'_>,
    options: &Options,
    sink: &mut dyn Write,
) -> Result<WriteSummary, ReportError> {
    let browser = find()?;
    let page = super::render(input, options)?;
    let folder = tempfile::Builder::new().prefix("pipebill-").tempdir()?;
    let (html, pdf) = (
        folder.path().join("report.html"),
        folder.path().join("report.pdf"),
    );
    std::fs::write(&html, page)?;
    print(&browser, folder.path(), &html, &pdf)?;
    let content = std::fs::read(&pdf).map_err(|_| ReportError::Browser {
        program: browser.display().to_string(),
        problem: "it wrote no file".to_owned(),
    })?;
    sink.write_all(&content)?;
    Ok(super::written(input))
}

/// Returns the browser that $CHROME names, else the first one on the path.
fn find() -> Result<PathBuf, ReportError> {
    if let Some(named) = std::env::var_os("CHROME").filter(|named| !named.is_empty()) {
        let path = PathBuf::from(named);
        return if path.is_file() {
            Ok(path)
        } else {
            Err(ReportError::Browser {
                program: path.display().to_string(),
                problem: "$CHROME names no file".to_owned(),
            })
        };
    }
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&folders).collect();
    let places = NAMES
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    places
        .into_iter()
        .find(|place| place.is_file())
        .ok_or(ReportError::NoBrowser)
}

fn print(browser: &Path, folder: &Path, html: &Path, pdf: &Path) -> Result<(), ReportError> {
    let failed = |problem: String| ReportError::Browser {
        program: browser.display().to_string(),
        problem,
    };
    let option = |name: &str, path: &Path| {
        let mut option = std::ffi::OsString::from(name);
        option.push(path);
        option
    };
    let mut command = Command::new(browser);
    command
        .args([
            "--headless",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-pdf-header-footer",
        ])
        .arg(option("--user-data-dir=", &folder.join("profile")))
        .arg(option("--print-to-pdf=", pdf));
    // Chromium's sandbox does not work for the superuser. The page is ours and has no script.
    #[cfg(unix)]
    if std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(html)?) == 0 {
        command.arg("--no-sandbox");
    }
    let mut child = command
        .arg(option("file://", html))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    // Its words are read as they come, so that it never waits for a reader.
    let mut stderr = child.stderr.take();
    let words = std::thread::spawn(move || {
        let mut words = Vec::new();
        if let Some(stderr) = &mut stderr {
            drop(stderr.read_to_end(&mut words));
        }
        String::from_utf8_lossy(&words).into_owned()
    });
    let status = wait(&mut child);
    let words = words.join().unwrap_or_default();
    match status? {
        Some(status) if status.success() => Ok(()),
        Some(status) => {
            let last = words.lines().rfind(|line| !line.trim().is_empty());
            Err(failed(format!(
                "{status}{}",
                last.map(|line| format!(": {line}")).unwrap_or_default()
            )))
        }
        None => Err(failed(format!("nothing after {} s", PATIENCE.as_secs()))),
    }
}

/// Waits for the browser, and ends it where it does not end.
fn wait(child: &mut Child) -> Result<Option<std::process::ExitStatus>, ReportError> {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    drop(child.kill());
    drop(child.wait());
    Ok(None)
}
