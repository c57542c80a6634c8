//! The tree under test: where it is and what is in it.

use std::fs;
use std::path::{Path, PathBuf};

/// Build products, tools and local state; nothing in them is ours.
const NOT_OURS: [&str; 6] = [".git", ".venv", ".local", "target", "__pycache__", ".aws-sam"];

/// Returns the root of the repository.
pub(crate) fn root() -> PathBuf {
    let member = Path::new(env!("CARGO_MANIFEST_DIR"));
    member.parent().expect("the member lies in the root").to_owned()
}

/// Returns the text of a file, by its path from the root.
pub(crate) fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("read {path}: {error}"))
}

/// Returns every file of the repository, as paths from the root, sorted.
pub(crate) fn files() -> Vec<String> {
    let mut found = Vec::new();
    collect(&root(), &mut found);
    found.sort();
    found
}

/// Returns every Rust file of the repository.
pub(crate) fn rust_files() -> Vec<String> {
    files().into_iter().filter(|path| has_extension(path, "rs")).collect()
}

pub(crate) fn has_extension(path: &str, extension: &str) -> bool {
    Path::new(path).extension().is_some_and(|found| found == extension)
}

fn collect(folder: &Path, found: &mut Vec<String>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("list {}: {error}", folder.display()));
    for entry in entries {
        let path = entry.expect("a folder entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("a UTF-8 file name");
        if NOT_OURS.contains(&name) {
            continue;
        }
        if path.is_dir() {
            collect(&path, found);
        } else {
            let relative = path.strip_prefix(root()).expect("below the root");
            found.push(relative.to_str().expect("a UTF-8 path").to_owned());
        }
    }
}
