//! The one writer: data to stdout or a file, everything else to stderr.

use std::{
    io::{BufWriter, ErrorKind, IsTerminal, Write},
    path::{Path, PathBuf},
};

use chrono::NaiveDate;

use super::{CommandError, Format};
use crate::{
    atomic_file::{self, PendingFile},
    domain::{bill::old_prices, remark::Remark},
    report::{
        Answer,
        answer::{Rendered, Terminal},
        answer_formats::{self, ANSWER_FORMATS},
        formats,
        input::{ReportError, WriteSummary},
        text, words,
    },
};

/// Where answers go and what the place can show.
#[derive(Clone)]
pub(super) struct Output {
    pub(super) format: Format,
    /// How much is said of calls to AWS: nothing, each call, each attempt.
    #[cfg_attr(not(feature = "aws"), expect(dead_code, reason = "nobody is called"))]
    pub(super) verbosity: u8,
    /// The format as the user named it, or the extension of the file did.
    pub(super) asked: Option<Format>,
    file: Option<PathBuf>,
    terminal: Terminal,
    colour_errors: bool,
    /// How much of a file is shown, in lines; all of it if none is named.
    first_lines: Option<usize>,
}

impl Output {
    pub(super) fn new(
        asked: Option<Format>,
        file: Option<PathBuf>,
        colour: clap::ColorChoice,
        verbosity: u8,
    ) -> Self {
        let asked = asked.or_else(|| file.as_deref().and_then(Format::of_file));
        match colour {
            clap::ColorChoice::Always => anstream::ColorChoice::Always,
            clap::ColorChoice::Never => anstream::ColorChoice::Never,
            clap::ColorChoice::Auto => anstream::ColorChoice::Auto,
        }
        .write_global();
        // Knows about NO_COLOR, CLICOLOR, dumb terminals and pipes.
        let coloured = |choice| !matches!(choice, anstream::ColorChoice::Never);
        let colour = coloured(anstream::AutoStream::choice(&std::io::stdout()));
        let colour_errors = coloured(anstream::AutoStream::choice(&std::io::stderr()));
        let terminal = Terminal {
            width: width(),
            unicode: speaks_unicode(),
            colour: colour && file.is_none(),
        };
        Self {
            format: asked.unwrap_or_default(),
            asked,
            verbosity,
            file,
            terminal,
            colour_errors,
            first_lines: None,
        }
    }

    /// Returns the place for one of several answers, with a format of its own, or for the first lines of it.
    pub(super) fn part(&self, format: Option<Format>, first_lines: Option<usize>) -> Self {
        Self {
            format: format.unwrap_or(self.format),
            asked: format,
            first_lines,
            ..self.clone()
        }
    }

    /// Writes an answer in the format asked for.
    pub(super) fn show(&self, answer: &Answer<'_>) -> Result<(), CommandError> {
        let bad = |problem| CommandError::BadValue {
            flag: "--format",
            problem,
        };
        let format = self.format.answer.ok_or_else(|| {
            let known: Vec<&str> = ANSWER_FORMATS.iter().map(|format| format.name).collect();
            bad(format!(
                "{} is a format of `pipebill report`; choose {}",
                self.format.name,
                known.join(", ")
            ))
        })?;
        let rendered = answer_formats::render(answer, format, self.terminal)
            .map_err(|problem| bad(problem.to_owned()))?;
        self.write(format.name, &rendered)
    }

    /// Writes a rendered answer: further tables into files beside it, or says that they exist.
    fn write(&self, format: &str, rendered: &Rendered) -> Result<(), CommandError> {
        let Some(path) = &self.file else {
            to_stdout(&rendered.text)?;
            if !rendered.others.is_empty() {
                let names: Vec<&str> = rendered.others.iter().map(|(name, _)| *name).collect();
                self.say(&format!(
                    "note: {format} holds one table a file; the answer also has: {}. `--output FILE.{format}` writes \
                     each beside it.",
                    names.join(", ")
                ));
            }
            return Ok(());
        };
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let mut drafts = Vec::new();
        let mut others = Vec::new();
        for (name, text) in [("", &rendered.text)]
            .into_iter()
            .chain(rendered.others.iter().map(|(name, text)| (*name, text)))
        {
            let path = match name {
                "" => path.clone(),
                name => path.with_file_name(format!("{stem}-{name}.{format}")),
            };
            let failed = |source| CommandError::Unwritable {
                target: path.display().to_string(),
                source,
            };
            let mut draft = PendingFile::of(&path).map_err(failed)?;
            draft.write_all(text.as_bytes()).map_err(failed)?;
            drafts.push(draft);
            if !name.is_empty() {
                others.push(path);
            }
        }
        let failed = |(path, source): (PathBuf, std::io::Error)| CommandError::Unwritable {
            target: path.display().to_string(),
            source,
        };
        atomic_file::publish(drafts, true).map_err(failed)?;
        for path in others {
            self.say(&format!("wrote {}", path.display()));
        }
        Ok(())
    }

    /// Writes an answer as it stands.
    pub(super) fn data(&self, content: &str) -> Result<(), CommandError> {
        match &self.file {
            Some(path) => write_file(path, content),
            None => to_stdout(content),
        }
    }

    /// Writes a file of a report as it is made. Returns what the user should know about it.
    pub(super) fn stream(
        &self,
        format: &formats::Format,
        write: impl FnOnce(&mut dyn Write) -> Result<WriteSummary, ReportError>,
    ) -> Result<Vec<String>, CommandError> {
        if let Some(path) = &self.file {
            let failed = |source| CommandError::Unwritable {
                target: path.display().to_string(),
                source,
            };
            let mut draft = BufWriter::new(PendingFile::of(path).map_err(failed)?);
            let written = write(&mut draft)?;
            let draft = draft
                .into_inner()
                .map_err(|error| failed(error.into_error()))?;
            atomic_file::publish(vec![draft], true).map_err(|(_, error)| failed(error))?;
            return Ok(written.notes);
        }
        if let Some(lines) = self.first_lines {
            let mut file = Vec::new();
            let written = write(&mut file)?;
            let file = String::from_utf8_lossy(&file);
            let head: String = file.split_inclusive('\n').take(lines).collect();
            self.data(&head)?;
            return Ok(written.notes);
        }
        let stdout = std::io::stdout();
        if format.binary && stdout.is_terminal() {
            return Err(CommandError::BinaryToTerminal(format.name));
        }
        let mut stdout = BufWriter::new(stdout.lock());
        let written = write(&mut stdout).and_then(|written| {
            stdout.flush()?;
            Ok(written.notes)
        });
        match written {
            // The reader has seen enough.
            Err(ReportError::Write(error)) if error.kind() == ErrorKind::BrokenPipe => {
                Ok(Vec::new())
            }
            other => Ok(other?),
        }
    }

    /// Tells whether somebody may be watching a progress bar.
    pub(super) fn shows_progress(&self) -> bool {
        self.colour_errors && std::io::stderr().is_terminal()
    }

    /// Says something that is not data.
    #[expect(
        clippy::unused_self,
        reason = "every word to the user goes through the output"
    )]
    pub(super) fn say(&self, message: &str) {
        to_stderr(&text::clean(message));
    }

    /// Says what was assumed of stated usage.
    pub(super) fn say_assumptions(&self, assumptions: &[Remark]) {
        for note in assumptions {
            self.say(&format!("note: {}", words::bill::remark(note).text));
        }
    }

    /// Says that an answer rests on price lists older than a year, if it does.
    pub(super) fn say_old_prices(&self, oldest: Option<NaiveDate>, today: NaiveDate) {
        if let Some(old) = old_prices(oldest, today) {
            self.say(&format!("note: {}", words::bill::remark(&old).text));
        }
    }

    /// Shows an error, its cause and what to do next.
    pub(super) fn error(&self, error: &CommandError) {
        let style = |style: anstyle::Style, label: &str| {
            if self.colour_errors {
                format!("{style}{label}{style:#}")
            } else {
                label.to_owned()
            }
        };
        let red = anstyle::AnsiColor::Red.on_default().bold();
        let mut message = error.to_string();
        let mut cause = std::error::Error::source(error);
        while let Some(error) = cause {
            let text = error.to_string();
            // A transparent error says the same as what it wraps.
            if !message.ends_with(&text) {
                message = format!("{message}: {text}");
            }
            cause = error.source();
        }
        to_stderr(&format!(
            "{} {}",
            style(red, "error:"),
            text::clean(&message)
        ));
        if let Some(hint) = error.hint() {
            let cyan = anstyle::AnsiColor::Cyan.on_default();
            to_stderr(&format!(
                "  {} {}",
                style(cyan, "hint:"),
                text::clean(&hint)
            ));
        }
    }
}

/// A closed stderr is no reason to stop.
fn to_stderr(line: &str) {
    drop(writeln!(std::io::stderr(), "{line}"));
}

fn to_stdout(content: &str) -> Result<(), CommandError> {
    let mut stdout = std::io::stdout().lock();
    match stdout
        .write_all(content.as_bytes())
        .and_then(|()| stdout.flush())
    {
        // The reader has seen enough: `pipebill bill | head` is not an error.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(source) => Err(CommandError::Unwritable {
            target: "to stdout".to_owned(),
            source,
        }),
        Ok(()) => Ok(()),
    }
}

/// Writes a file whole or not at all.
pub(super) fn write_file(path: &Path, content: &str) -> Result<(), CommandError> {
    let failed = |source| CommandError::Unwritable {
        target: path.display().to_string(),
        source,
    };
    atomic_file::write(path, content).map_err(failed)
}

fn width() -> u16 {
    let stated = std::env::var("COLUMNS")
        .ok()
        .and_then(|columns| columns.parse().ok());
    let terminal = || {
        std::io::stdout()
            .is_terminal()
            .then(terminal_size::terminal_size)
            .flatten()
    };
    stated
        .or_else(|| terminal().map(|(width, _)| width.0))
        .unwrap_or(80)
        .max(40)
}

fn speaks_unicode() -> bool {
    if std::env::var("TERM").is_ok_and(|term| term == "dumb") {
        return false;
    }
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|value| !value.is_empty())
        .unwrap_or_default()
        .to_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}
