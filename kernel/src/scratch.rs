//! A folder that lives as long as the kernel: `--checkpoint session:NAME` is a place in it, so that a
//! lesson can restart a query and be run from the top again.

use std::path::PathBuf;

use parking_lot::Mutex;
use tempfile::TempDir;

use crate::error::{CellError, Result};

/// What a path begins with that lies in the folder.
pub(crate) const PREFIX: &str = "session:";

/// The folder, made when it is first asked for.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    folder: Mutex<Option<TempDir>>,
}

impl Scratch {
    /// The place of this name.
    pub(crate) fn place(&self, name: &str) -> Result<PathBuf> {
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
        if name.is_empty() || !name.chars().all(is_name) {
            return Err(CellError::usage(format!(
                "'{PREFIX}{name}' does not name a checkpoint of this session"
            ))
            .hint(format!("--checkpoint {PREFIX}NAME, of letters and digits")));
        }
        let mut folder = self.folder.lock();
        let folder = match &mut *folder {
            Some(folder) => folder,
            none => {
                let made = TempDir::with_prefix("tidebook-session-").map_err(|error| {
                    CellError::new("IOException", format!("make a temporary folder: {error}"))
                })?;
                none.insert(made)
            }
        };
        Ok(folder.path().join(name))
    }

    /// Removes the folder with all that is in it.
    pub(crate) fn clear(&self) {
        if let Some(folder) = self.folder.lock().take()
            && let Err(error) = folder.close()
        {
            tracing::warn!(%error, "the session's temporary folder could not be removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_keeps_its_place_until_the_end() {
        let scratch = Scratch::default();
        let place = scratch.place("counts").unwrap();
        std::fs::create_dir(&place).unwrap();
        assert_eq!(scratch.place("counts").unwrap(), place);
        assert!(scratch.place("../x").is_err() && scratch.place("").is_err());
        scratch.clear();
        assert!(!place.exists());
    }
}
