//! Files: read as text, written atomically.

use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::failure::{Failure, Result};

/// A file that appears as a whole when it is [saved](Self::save), and that only its owner can read.
///
/// It is begun before the call that gives its content: what cannot be stored is not asked for.
pub(crate) struct Draft {
    file: NamedTempFile,
    path: PathBuf,
}

impl Draft {
    pub(crate) fn begin(path: &Path) -> Result<Self> {
        let folder = folder(path);
        // Readable by its owner alone, as the crate makes them.
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

/// Writes a file that others may read as the system has it.
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

/// The text of a file; of standard input for `-`.
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
            "give a file with text in UTF-8, or - for standard input",
        )
    })
}

fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    Failure::new(
        format!("cannot write {}: {error}", path.display()),
        "give a file in a folder that can be written",
    )
}
