//! `tidebook course`: copies the course to a folder of the learner's own. **What the learner has
//! changed is never overwritten.**
//!
//! A list beside the files says what was written. A file that is as it was written follows the
//! course; of one that is not, a newer version is put beside it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use anyhow::{Context as _, bail};
use chrono::NaiveDateTime;
use sha2::{Digest, Sha256};

/// Every file of the course, by its path below the folder.
const FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/course_files.rs"));

/// What was written, by path: its SHA-256.
const LIST: &str = ".tidebook-course.json";

/// The language that lies at the top.
const DEFAULT_LANGUAGE: &str = "en";

/// Hours of the data's files, by which they are named.
const HOUR_NAME: &str = "%Y-%m-%dT%H:%M";

/// When a file of data was made whose name tells no time: 2024-01-01, and then a second later each.
const FIRST_FILE: u64 = 1_704_067_200;

/// Where the course goes, and in which language.
#[derive(Debug, clap::Args)]
pub(crate) struct Course {
    /// The folder; it is made if it is not there.
    #[arg(default_value = "tidebook-course")]
    folder: PathBuf,
    /// The language of the texts.
    #[arg(long, value_name = "LANGUAGE", default_value = DEFAULT_LANGUAGE)]
    lang: String,
}

/// What became of the files.
#[derive(Debug, Default, PartialEq, Eq)]
struct Copied {
    written: usize,
    updated: usize,
    unchanged: usize,
    /// Files that the learner has changed.
    kept: Vec<String>,
    /// Newer versions that were put beside them.
    beside: Vec<String>,
}

/// Copies the course; gives what to say about it.
pub(crate) fn copy(course: &Course) -> anyhow::Result<String> {
    let files = in_language(FILES, &course.lang)?;
    let folder = course.folder.as_path();
    let copied = copy_files(&files, folder)?;
    let mut text = format!("the course is in '{}': ", folder.display());
    text.push_str(&format!(
        "{} files new, {} updated, {} as they were",
        copied.written, copied.updated, copied.unchanged
    ));
    if !copied.kept.is_empty() {
        text.push_str(&format!(
            "\nyours, and left as they are: {}",
            copied.kept.join(", ")
        ));
    }
    if !copied.beside.is_empty() {
        text.push_str(&format!(
            "\nthe course has newer versions of these, which now lie beside yours: {}",
            copied.beside.join(", ")
        ));
    }
    text.push_str(&format!("\nbegin with:  jupyter lab {}", folder.display()));
    Ok(text)
}

/// The files with the texts of one language at the top. A language has a folder of its own name,
/// whose files take the place of those above.
fn in_language<'a>(
    files: &[(&'a str, &'a [u8])],
    language: &str,
) -> anyhow::Result<BTreeMap<&'a str, &'a [u8]>> {
    let mut languages: Vec<&str> = files
        .iter()
        .filter_map(|(path, _)| path.split_once('/'))
        .filter(|(folder, file)| is_language(folder) && file.ends_with(".ipynb"))
        .map(|(folder, _)| folder)
        .collect();
    languages.dedup();
    let chosen = languages
        .iter()
        .find(|known| known.eq_ignore_ascii_case(language))
        .copied();
    if chosen.is_none() && !language.eq_ignore_ascii_case(DEFAULT_LANGUAGE) {
        languages.insert(0, DEFAULT_LANGUAGE);
        bail!(
            "the course does not speak '{language}': --lang {}",
            languages.join(" or --lang ")
        );
    }
    let is_translated = |path: &str| {
        let folder = path.split('/').next().unwrap_or_default();
        languages.contains(&folder)
    };
    let mut chosen_files: BTreeMap<&str, &[u8]> = files
        .iter()
        .filter(|(path, _)| !is_translated(path))
        .copied()
        .collect();
    if let Some(language) = chosen {
        for (path, content) in files {
            let own = path
                .strip_prefix(language)
                .and_then(|path| path.strip_prefix('/'));
            if let Some(path) = own {
                chosen_files.insert(path, content);
            }
        }
    }
    Ok(chosen_files)
}

/// `zh`, `zh-TW`.
fn is_language(folder: &str) -> bool {
    let (word, region) = folder.split_once('-').unwrap_or((folder, "TW"));
    word.len() == 2
        && region.len() == 2
        && word.chars().all(|c| c.is_ascii_lowercase())
        && region.chars().all(|c| c.is_ascii_uppercase())
}

fn copy_files(files: &BTreeMap<&str, &[u8]>, folder: &Path) -> anyhow::Result<Copied> {
    fs::create_dir_all(folder).with_context(|| format!("make folder '{}'", folder.display()))?;
    let mut list = read_list(folder)?;
    let mut copied = Copied::default();
    for (index, (path, content)) in files.iter().enumerate() {
        let target = folder.join(path);
        let new = digest(content);
        let there = match fs::read(&target) {
            Ok(there) => Some(digest(&there)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(error).context(format!("read '{}'", target.display())),
        };
        let before = list.insert((*path).to_owned(), new.clone());
        match there {
            None => {
                write(&target, content)?;
                set_time(&target, path, index)?;
                copied.written += 1;
            }
            Some(there) if there == new => copied.unchanged += 1,
            Some(there) if before.as_ref() == Some(&there) => {
                write(&target, content)?;
                set_time(&target, path, index)?;
                copied.updated += 1;
            }
            Some(_) => {
                copied.kept.push((*path).to_owned());
                if before.as_ref() != Some(&new) {
                    let beside = beside(path);
                    write(&folder.join(&beside), content)?;
                    copied.beside.push(beside);
                }
            }
        }
    }
    let list = serde_json::to_vec_pretty(&list)?;
    write(&folder.join(LIST), &list)?;
    Ok(copied)
}

fn read_list(folder: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let path = folder.join(LIST);
    match fs::read(&path) {
        Ok(text) => serde_json::from_slice(&text).with_context(|| {
            let shown = path.display();
            format!("read '{shown}': delete it, and all files of the folder count as yours")
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(error).with_context(|| format!("read '{}'", path.display())),
    }
}

/// Writes a file whole or not at all.
fn write(target: &Path, content: &[u8]) -> anyhow::Result<()> {
    let shown = target.display();
    let folder = target.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).with_context(|| format!("make folder '{}'", folder.display()))?;
    let temporary = tempfile::Builder::new()
        .prefix(".tidebook-")
        .tempfile_in(folder)
        .with_context(|| format!("write '{shown}'"))?;
    fs::write(temporary.path(), content).with_context(|| format!("write '{shown}'"))?;
    readable(temporary.path()).with_context(|| format!("write '{shown}'"))?;
    temporary
        .persist(target)
        .with_context(|| format!("write '{shown}'"))?;
    Ok(())
}

/// A temporary file is for its owner alone, a copy is not.
fn readable(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o644))
}

/// Streams take files in the order of their times: data gets the time that its name tells, or times
/// in the order of the names.
fn set_time(target: &Path, path: &str, index: usize) -> anyhow::Result<()> {
    if !path.starts_with("data/") {
        return Ok(());
    }
    let stem = target
        .file_stem()
        .and_then(|stem| stem.to_str())
        .unwrap_or_default();
    let hour = NaiveDateTime::parse_from_str(&format!("{stem}:00"), HOUR_NAME).ok();
    let seconds = match hour {
        Some(hour) => hour.and_utc().timestamp() as u64 + 3_600,
        None => FIRST_FILE + index as u64,
    };
    let file = File::options().write(true).open(target);
    let set = file.and_then(|file| file.set_modified(UNIX_EPOCH + Duration::from_secs(seconds)));
    set.with_context(|| format!("set the time of '{}'", target.display()))
}

/// `a/b.ipynb` → `a/b.new.ipynb`.
fn beside(path: &str) -> String {
    match path.rsplit_once('.') {
        Some((stem, extension)) if !extension.contains('/') => format!("{stem}.new.{extension}"),
        _ => format!("{path}.new"),
    }
}

fn digest(content: &[u8]) -> String {
    let bytes = Sha256::digest(content);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files<'a>(pairs: &[(&'a str, &'a str)]) -> BTreeMap<&'a str, &'a [u8]> {
        pairs
            .iter()
            .map(|(path, text)| (*path, text.as_bytes()))
            .collect()
    }

    #[test]
    fn what_the_learner_has_changed_stays() {
        let folder = tempfile::tempdir().unwrap();
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        let first = files(&[
            ("1.ipynb", "one"),
            ("2.ipynb", "two"),
            ("data/a.json", "{}"),
        ]);
        let copied = copy_files(&first, folder.path()).unwrap();
        assert_eq!((copied.written, copied.updated), (3, 0));
        fs::write(folder.path().join("1.ipynb"), "my work").unwrap();
        fs::write(folder.path().join("mine.ipynb"), "mine").unwrap();
        // The same course again: nothing is newer.
        let copied = copy_files(&first, folder.path()).unwrap();
        assert_eq!(
            (copied.unchanged, copied.kept.len(), copied.beside.len()),
            (2, 1, 0)
        );
        let second = files(&[
            ("1.ipynb", "one!"),
            ("2.ipynb", "two!"),
            ("data/a.json", "{}"),
        ]);
        let copied = copy_files(&second, folder.path()).unwrap();
        assert_eq!(
            (copied.updated, copied.kept),
            (1, vec!["1.ipynb".to_owned()])
        );
        assert_eq!(copied.beside, ["1.new.ipynb"]);
        assert_eq!(
            (read("1.ipynb"), read("2.ipynb")),
            ("my work".into(), "two!".into())
        );
        assert_eq!(
            (read("1.new.ipynb"), read("mine.ipynb")),
            ("one!".into(), "mine".into())
        );
        // What is beside is told of once.
        let copied = copy_files(&second, folder.path()).unwrap();
        assert_eq!((copied.beside.len(), copied.kept.len()), (0, 1));
    }

    #[test]
    fn data_has_the_times_of_its_names() {
        let folder = tempfile::tempdir().unwrap();
        let named = files(&[("data/d/2013-01-01T05.json", "{}"), ("data/x.json", "{}")]);
        copy_files(&named, folder.path()).unwrap();
        let time = |name: &str| {
            let metadata = fs::metadata(folder.path().join(name)).unwrap();
            metadata
                .modified()
                .unwrap()
                .duration_since(UNIX_EPOCH)
                .unwrap()
                .as_secs()
        };
        assert_eq!(time("data/d/2013-01-01T05.json"), 1_357_020_000);
        assert_eq!(time("data/x.json"), FIRST_FILE + 1);
    }

    #[test]
    fn a_language_takes_the_place_of_the_texts() {
        let all: Vec<(&str, &[u8])> = vec![
            ("1.ipynb", b"en"),
            ("data/a.json", b"{}"),
            ("zh-TW/1.ipynb", b"zh"),
        ];
        let english = in_language(&all, "en").unwrap();
        assert_eq!(
            english.keys().collect::<Vec<_>>(),
            [&"1.ipynb", &"data/a.json"]
        );
        let chinese = in_language(&all, "zh-tw").unwrap();
        assert_eq!(chinese["1.ipynb"], b"zh");
        assert_eq!(chinese.len(), 2);
        let error = in_language(&all, "fr").unwrap_err().to_string();
        assert!(error.ends_with("--lang en or --lang zh-TW"), "{error}");
    }

    #[test]
    fn the_course_is_in_the_program() {
        let has = |end: &str| FILES.iter().any(|(path, _)| path.ends_with(end));
        assert!(has(".ipynb") && has("2013-01-01T05.json"));
        assert!(
            !has("requirements.txt") && !FILES.iter().any(|(path, _)| path.contains(".executed"))
        );
    }
}
