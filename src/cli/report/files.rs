//! Files written, each whole or not at all.

use std::{
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use super::{Planned, names_a_folder};
use crate::cli::{CommandError, interrupt};
use crate::{
    atomic_file::{self, PendingFile},
    inputs::report_definition::DefinitionError,
    report::{
        input::{ReportError, ReportInput},
        manifest::{self, FileEntry, Summed},
    },
};

/// Writes all files and their manifest, or nothing. Returns what was written.
pub(super) fn write_files(
    out: &Path,
    force: bool,
    definition: Option<&str>,
    files: &[Planned],
    input: &ReportInput<'_>,
) -> Result<(Vec<PathBuf>, Vec<FileEntry>), CommandError> {
    let unwritable = |path: &Path, source| CommandError::Unwritable {
        target: path.display().to_string(),
        source,
    };
    let is_folder = names_a_folder(out);
    if !is_folder && files.len() > 1 {
        return Err(CommandError::NeedsFolder(files.len()));
    }
    if is_folder {
        std::fs::create_dir_all(out).map_err(|source| unwritable(out, source))?;
    }
    let base = format!("pipebill-{}", input.period());
    let mut paths: Vec<PathBuf> = files
        .iter()
        .map(|file| match &file.name {
            _ if !is_folder => out.to_owned(),
            Some(name) => out.join(name.replace("{period}", &input.period())),
            None => out.join(format!("{base}{}", file.format.ending)),
        })
        .collect();
    paths.push(match (definition, is_folder) {
        (_, false) => out.with_extension("manifest.json"),
        (Some(definition), true) => out.join(format!("{base}-{definition}.manifest.json")),
        (None, true) => paths[0].with_extension("manifest.json"),
    });
    if let Some(twice) = (1..paths.len()).find(|&at| paths[..at].contains(&paths[at])) {
        return Err(CommandError::Definition(DefinitionError {
            file: definition.unwrap_or_default().to_owned(),
            problem: format!("two files are called {}", paths[twice].display()),
        }));
    }
    if let Some(there) = paths.iter().find(|path| path.exists() && !force) {
        return Err(CommandError::Exists(there.display().to_string()));
    }
    let stop = Stop(interrupt::heard());
    let mut drafts = Vec::new();
    let mut entries = Vec::new();
    for (file, path) in files.iter().zip(&paths) {
        let draft = PendingFile::of(path).map_err(|source| unwritable(path, source))?;
        let mut sink = Summed::new(BufWriter::new(Stoppable(draft, &stop)));
        let written = (file.format.write)(input, &file.options, &mut sink);
        stop.heard()?;
        let written = written.map_err(|error| match error {
            ReportError::Write(source) => unwritable(path, source),
            error => error.into(),
        })?;
        let (buffered, bytes, sha256) = sink.finish();
        let draft = buffered.into_inner();
        stop.heard()?;
        drafts.push(
            draft
                .map_err(|error| unwritable(path, error.into_error()))?
                .0,
        );
        entries.push(FileEntry {
            name: path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            format: file.format,
            written,
            bytes,
            sha256,
        });
    }
    // The manifest last: where it stands, the report is whole.
    let manifest = &paths[files.len()];
    let mut draft = PendingFile::of(manifest).map_err(|source| unwritable(manifest, source))?;
    draft
        .write_all(manifest::render(definition, input, &entries).as_bytes())
        .map_err(|source| unwritable(manifest, source))?;
    drafts.push(draft);
    atomic_file::publish(drafts, force).map_err(|(path, source)| unwritable(&path, source))?;
    Ok((paths, entries))
}

/// An ear for Ctrl-C while files are in the making. Without it drafts would be left behind.
pub(super) struct Stop(Arc<AtomicBool>);

impl Stop {
    pub(super) fn heard(&self) -> Result<(), CommandError> {
        if self.0.load(Ordering::Relaxed) {
            return Err(CommandError::Stopped);
        }
        Ok(())
    }
}

/// A draft that is not written further once somebody has pressed Ctrl-C.
pub(super) struct Stoppable<'s>(PendingFile, &'s Stop);

impl Write for Stoppable<'_> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.1.heard().map_err(io::Error::other)?;
        self.0.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
