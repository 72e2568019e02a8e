//! What must survive a power cut is forced to the disk: the bytes of a file, the folder that holds its
//! name, and the folders above that are new.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// Forces the bytes of a file to the disk. An event of level TRACE tells of it.
pub(crate) fn sync_file(file: &File, path: &Path) -> io::Result<()> {
    file.sync_all()?;
    tracing::trace!(path = %path.display(), "forced to the disk");
    Ok(())
}

/// Forces the names in a folder to the disk.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    sync_file(&File::open(folder)?, folder)
}

/// Makes a folder and what is missing above it; the folders in which there is a new name now, nearest
/// first.
pub(crate) fn create_folders(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let missing = folder.ancestors().take_while(|above| !above.exists());
    let changed = missing.filter_map(|made| made.parent().map(Path::to_path_buf));
    let changed = changed.collect();
    fs::create_dir_all(folder)?;
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folders_with_new_names_are_known() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        let changed = create_folders(&root.join("a/b")).unwrap();
        assert_eq!(changed, [root.join("a"), root.to_path_buf()]);
        assert_eq!(create_folders(&root.join("a/b")).unwrap(), [] as [&Path; 0]);
        changed
            .iter()
            .for_each(|folder| sync_folder(folder).unwrap());
    }
}
