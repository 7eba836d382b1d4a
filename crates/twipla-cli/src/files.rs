//! Reading text files and writing files atomically.

use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::failure::{Failure, Result};

/// A file that is written atomically when it is [saved](Self::save), and that only its owner can read.
///
/// It is created before the call that returns its content, so that nothing is requested that cannot be stored.
pub(crate) struct Draft {
    file: NamedTempFile,
    path: PathBuf,
}

impl Draft {
    pub(crate) fn begin(path: &Path) -> Result<Self> {
        let folder = folder(path);
        // Readable only by its owner, as tempfile creates it.
        let file = NamedTempFile::new_in(folder)
            .map_err(|error| cannot_write(path, &error.kind().into()))?;
        Ok(Self {
            file,
            path: path.to_owned(),
        })
    }

    pub(crate) fn save(mut self, content: &[u8]) -> Result<()> {
        let written = self.file.write_all(content);
        let written = written.and_then(|()| self.file.as_file().sync_all());
        written.map_err(|error| cannot_write(&self.path, &error))?;
        let saved = self.file.persist(&self.path);
        saved.map_err(|error| cannot_write(&self.path, &error.error))?;
        Ok(())
    }
}

/// Writes a file with the system's default permissions.
pub(crate) fn save(path: &Path, content: &[u8]) -> Result<()> {
    let mut draft = tempfile::Builder::new();
    #[cfg(unix)]
    draft.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let file = draft.tempfile_in(folder(path));
    let file = file.map_err(|error| cannot_write(path, &error.kind().into()))?;
    let draft = Draft {
        file,
        path: path.to_owned(),
    };
    draft.save(content)
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// Reads the text of a file; of standard input for `-`.
pub(crate) fn read(path: &Path) -> Result<String> {
    let text = if path == Path::new("-") {
        let mut text = String::new();
        io::stdin().lock().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(path)
    };
    text.map_err(|error| {
        Failure::usage(
            format!("cannot read {}: {error}", path.display()),
            "pass a UTF-8 text file, or - for standard input",
        )
    })
}

fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    Failure::new(
        format!("cannot write {}: {error}", path.display()),
        "pass a file in a writable folder",
    )
}
