//! Writing a file whole or not at all.

use std::{io::Write, path::Path};

/// Writes beside the file and puts the result in its place. A device or a pipe cannot be replaced
/// and is written to.
pub(crate) fn write(path: &Path, content: &str) -> std::io::Result<()> {
    if path.exists() && !path.is_file() {
        return std::fs::write(path, content);
    }
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let mut builder = tempfile::Builder::new();
    builder.prefix(".pipebill-");
    // Temporary files are private by default; an answer is a file like any other.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    // The temporary name is nobody's business, and another one each time.
    let unnamed = |error: std::io::Error| std::io::Error::from(error.kind());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    let mut file = builder.tempfile_in(folder).map_err(unnamed)?;
    file.write_all(content.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path).map(drop).map_err(|error| error.error)
}
