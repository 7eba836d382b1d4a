//! Files that only their owner can read, written atomically.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Result, Write as _};
use std::path::{Path, PathBuf};

use fs4::TryLockError;

/// Creates a folder that only its owner can enter. An existing folder must
/// already have this mode: it may be shared on purpose, so its mode is not
/// changed.
pub(crate) fn create_private_folder(folder: &Path) -> Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(folder)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(std::io::Error::other(format!(
                "others have access to the folder (mode {mode:o}, expected 700)"
            )));
        }
    }
    Ok(())
}

/// Writes a file atomically, readable only by its owner.
pub(crate) fn write(file: &Path, text: &str) -> Result<()> {
    let draft = sibling(file, ".draft");
    let mut open = open_private(&draft)?;
    open.write_all(text.as_bytes())?;
    open.sync_all()?;
    std::fs::rename(&draft, file)
}

/// Locks a file against other processes until the result is dropped. Returns
/// `None` if another process holds the lock. The lock is on a separate file,
/// which is not deleted, because a write replaces the file itself.
pub(crate) fn lock(file: &Path) -> Result<Option<File>> {
    let open = open_private(&sibling(file, ".lock"))?;
    match fs4::FileExt::try_lock(&open) {
        Ok(()) => Ok(Some(open)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn open_private(file: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)
}

fn sibling(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Returns the text of a file, or `None` if it does not exist.
pub(crate) fn read(file: &Path) -> Result<Option<String>> {
    match std::fs::read_to_string(file) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
