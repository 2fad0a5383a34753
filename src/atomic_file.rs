//! Writing files whole or not at all: one, or several that belong together.

use std::{
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
};

use tempfile::{NamedTempFile, TempPath};

/// Writes beside the file and puts the result in its place. A device or a pipe cannot be replaced
/// and is written to.
pub(crate) fn write(path: &Path, content: &str) -> io::Result<()> {
    let mut draft = PendingFile::of(path)?;
    draft.write_all(content.as_bytes())?;
    publish(vec![draft], true).map_err(|(_, error)| error)
}

/// A file in the making, beside the place it is for.
#[derive(Debug)]
pub(crate) enum PendingFile {
    /// It takes the place of the file, or becomes it.
    File(NamedTempFile, PathBuf),
    /// A device or a pipe, written to as it is.
    Device(File),
}

impl PendingFile {
    /// Begins a file.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        if path.exists() && !path.is_file() {
            return File::options().write(true).open(path).map(Self::Device);
        }
        beside(path).map(|file| Self::File(file, path.to_owned()))
    }
}

impl Write for PendingFile {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        match self {
            // Through the file itself: the temporary name has no place in an error.
            Self::File(file, _) => file.as_file_mut().write(buffer),
            Self::Device(file) => file.write(buffer),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File(file, _) => file.as_file_mut().flush(),
            Self::Device(file) => file.flush(),
        }
    }
}

/// Puts drafts in their places, in order: all of them or none. Without `replace` a file that is
/// there already stays, and is an error. Returns the file that could not be written.
pub(crate) fn publish(drafts: Vec<PendingFile>, replace: bool) -> Result<(), (PathBuf, io::Error)> {
    let mut done: Vec<(PathBuf, Option<TempPath>)> = Vec::new();
    for draft in drafts {
        let PendingFile::File(file, path) = draft else {
            continue;
        };
        if let Err(error) = put(file, &path, replace, &mut done) {
            for (path, before) in done.into_iter().rev() {
                // Nothing more can be done where even this fails.
                drop(match before {
                    Some(before) => before.persist(&path).map_err(|error| error.error),
                    None => std::fs::remove_file(&path),
                });
            }
            return Err((path, error));
        }
    }
    Ok(())
}

/// Puts one file in its place and keeps what was there, to be put back.
fn put(
    file: NamedTempFile,
    path: &Path,
    replace: bool,
    done: &mut Vec<(PathBuf, Option<TempPath>)>,
) -> io::Result<()> {
    file.as_file().sync_all()?;
    if !replace {
        file.persist_noclobber(path).map_err(|error| error.error)?;
        done.push((path.to_owned(), None));
        return Ok(());
    }
    let mut before = None;
    if path.exists() {
        let kept = beside(path)?.into_temp_path();
        std::fs::remove_file(&kept)?;
        // Where the file system knows no links, there is only one chance.
        if std::fs::hard_link(path, &kept).is_ok() {
            before = Some(kept);
        }
    }
    file.persist(path).map_err(|error| error.error)?;
    done.push((path.to_owned(), before));
    Ok(())
}

fn beside(path: &Path) -> io::Result<NamedTempFile> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let mut builder = tempfile::Builder::new();
    builder.prefix(".pipebill-");
    // Temporary files are private by default; an answer is a file like any other.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    // The temporary name is nobody's business, and another one each time.
    let unnamed = |error: io::Error| io::Error::from(error.kind());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    builder.tempfile_in(folder).map_err(unnamed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(path: &Path, content: &str) -> PendingFile {
        let mut draft = PendingFile::of(path).unwrap();
        draft.write_all(content.as_bytes()).unwrap();
        draft
    }

    #[test]
    fn files_that_belong_together_appear_together_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let [new, old, blocked] = ["new", "old", "blocked"].map(|name| folder.path().join(name));
        std::fs::write(&old, "before").unwrap();
        let drafts = vec![draft(&new, "1"), draft(&old, "2"), draft(&blocked, "3")];
        // What appears in the meantime, and cannot be replaced by a file.
        std::fs::create_dir(&blocked).unwrap();
        let (path, _) = publish(drafts, true).unwrap_err();
        assert_eq!(path, blocked);
        assert!(!new.exists());
        assert_eq!(std::fs::read_to_string(&old).unwrap(), "before");
        let names = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(names, 2, "no draft is left behind");
    }

    #[test]
    fn what_is_there_stays_unless_it_may_be_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let [new, old] = ["new", "old"].map(|name| folder.path().join(name));
        std::fs::write(&old, "before").unwrap();
        publish(vec![draft(&new, "1"), draft(&old, "2")], false).unwrap_err();
        assert!(!new.exists());
        assert_eq!(std::fs::read_to_string(&old).unwrap(), "before");
        publish(vec![draft(&new, "1"), draft(&old, "2")], true).unwrap();
        assert_eq!(std::fs::read_to_string(&old).unwrap(), "2");
    }
}
