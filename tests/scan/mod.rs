//! Reads source files as text: what they name, and who names whom in a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A source file: where it is, what it says, and the same without comments and tests.
pub(crate) struct Source {
    /// Relative to the repository's root.
    pub(crate) path: String,
    pub(crate) text: String,
    pub(crate) code: String,
}

/// A path that code names, relative to the crate's root.
pub(crate) struct Reference {
    pub(crate) line: usize,
    pub(crate) path: Vec<String>,
}

impl Source {
    fn read(root: &Path, path: &Path) -> io::Result<Self> {
        let text = fs::read_to_string(path)?;
        let name = path.strip_prefix(root).unwrap_or(path).to_string_lossy().into_owned();
        Ok(Self { path: name, code: code(&text), text })
    }

    /// The module path below a crate's source folder: `engine::verify` for `engine/verify.rs`.
    pub(crate) fn module(&self, folder: &str) -> Vec<String> {
        let below = self.path.strip_prefix(folder).unwrap_or(&self.path);
        let mut parts: Vec<String> =
            below.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
        if parts.last().is_some_and(|last| last == "mod" || last == "lib") {
            parts.pop();
        }
        parts
    }

    /// Everything that the code names through `crate::`, `super::` or the crate's own name.
    pub(crate) fn references(&self, folder: &str, crate_name: &str) -> Vec<Reference> {
        let module = self.module(folder);
        let mut found = Vec::new();
        for (keyword, base) in [
            ("crate::".to_owned(), Vec::new()),
            (format!("{crate_name}::"), Vec::new()),
            (
                "super::".to_owned(),
                module.get(..module.len().saturating_sub(1)).unwrap_or_default().to_vec(),
            ),
        ] {
            for (at, _) in self.code.match_indices(&keyword) {
                if self.code.get(..at).is_some_and(|before| before.ends_with(is_word)) {
                    continue;
                }
                let mut rest = self.code.get(at + keyword.len()..).unwrap_or_default();
                let line = line_of(&self.code, at);
                for path in tree(&mut rest, &base) {
                    found.push(Reference { line, path });
                }
            }
        }
        found
    }

    pub(crate) fn lines_with<'a>(&'a self, needle: &'a str) -> impl Iterator<Item = usize> + 'a {
        self.code.match_indices(needle).map(|(at, _)| line_of(&self.code, at))
    }
}

pub(crate) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

pub(crate) fn line_of(text: &str, at: usize) -> usize {
    text.get(..at).unwrap_or_default().matches('\n').count() + 1
}

/// The text without line comments (line numbers stay) and without what follows `#[cfg(test)]`
/// on a module.
pub(crate) fn code(text: &str) -> String {
    let before = text
        .match_indices("#[cfg(test)]\nmod ")
        .next()
        .map_or(text, |(at, _)| text.get(..at).unwrap_or(text));
    let mut out = String::with_capacity(before.len());
    for line in before.lines() {
        let comment = line.match_indices("//").map(|(at, _)| at).find(|at| {
            // `https://` inside a string is none.
            !line.get(..*at).is_some_and(|before| before.ends_with(':'))
        });
        out.push_str(comment.and_then(|at| line.get(..at)).unwrap_or(line));
        out.push('\n');
    }
    out
}

/// Reads `a::b::{c, d::{e, f}}` from the front of `rest`; one path for each leaf.
fn tree(rest: &mut &str, base: &[String]) -> Vec<Vec<String>> {
    let mut path = base.to_vec();
    loop {
        *rest = rest.trim_start();
        if let Some(inner) = rest.strip_prefix('{') {
            *rest = inner;
            let mut leaves = Vec::new();
            loop {
                *rest = rest.trim_start().trim_start_matches(',').trim_start();
                if let Some(after) = rest.strip_prefix('}') {
                    *rest = after;
                    return leaves;
                }
                let before = rest.len();
                leaves.extend(tree(rest, &path));
                // `c as d`, or something that is no path at all.
                let skip = rest.find([',', '}']).unwrap_or(rest.len());
                *rest = rest.get(skip..).unwrap_or_default();
                if rest.is_empty() || rest.len() == before {
                    return leaves;
                }
            }
        }
        let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let word = rest.get(..end).unwrap_or_default();
        if word == "super" {
            path.pop();
        } else if word != "self" && !word.is_empty() {
            path.push(word.to_owned());
        }
        *rest = rest.get(end..).unwrap_or_default();
        match rest.strip_prefix("::") {
            Some(after) if !word.is_empty() => *rest = after,
            _ => return vec![path],
        }
    }
}

pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All `.rs` files below a folder of the repository, in order.
pub(crate) fn sources(folder: &str) -> io::Result<Vec<Source>> {
    let root = root();
    let mut found = Vec::new();
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        if !folder.is_dir() {
            continue;
        }
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() && !path.ends_with("target") {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(Source::read(&root, &path)?);
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

/// Who names whom among the children of one module folder: a folder counts as one, and its
/// `mod.rs` is the parent, which may name its children and be named by them.
pub(crate) fn siblings(
    folder: &str,
    crate_name: &str,
) -> io::Result<BTreeMap<String, BTreeSet<String>>> {
    let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let all = sources(folder)?;
    let modules: BTreeSet<String> = all.iter().map(|s| s.module(folder).join("::")).collect();
    let exists = |path: &str| {
        modules.contains(path) || modules.iter().any(|m| m.starts_with(&format!("{path}::")))
    };
    for source in &all {
        let from = source.module(folder);
        for reference in source.references(folder, crate_name) {
            let common = from.iter().zip(&reference.path).take_while(|(a, b)| a == b).count();
            // One of them is the other's parent, or the item is the parent's own.
            let (Some(_), Some(_)) = (from.get(common), reference.path.get(common)) else {
                continue;
            };
            let node = |path: &[String]| path.get(..=common).unwrap_or_default().join("::");
            let (a, b) = (node(&from), node(&reference.path));
            if exists(&b) {
                edges.entry(a).or_default().insert(b);
            }
        }
    }
    Ok(edges)
}

/// A way from a node back to itself.
pub(crate) fn cycle(edges: &BTreeMap<String, BTreeSet<String>>) -> Option<Vec<String>> {
    fn walk(
        node: &str,
        edges: &BTreeMap<String, BTreeSet<String>>,
        way: &mut Vec<String>,
        done: &mut BTreeSet<String>,
    ) -> bool {
        if let Some(start) = way.iter().position(|n| n == node) {
            way.drain(..start);
            way.push(node.to_owned());
            return true;
        }
        if !done.insert(node.to_owned()) {
            return false;
        }
        way.push(node.to_owned());
        for next in edges.get(node).into_iter().flatten() {
            if walk(next, edges, way, done) {
                return true;
            }
        }
        way.pop();
        false
    }
    let mut done = BTreeSet::new();
    edges.keys().find_map(|node| {
        let mut way = Vec::new();
        walk(node, edges, &mut way, &mut done).then_some(way)
    })
}

/// Names in quotes after one of the calls that read a variable.
pub(crate) fn variables_read(source: &Source) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for call in [".text(\"", ".flag(\"", ".path(\"", ".seconds(\"", "home_or(\""] {
        for (at, _) in source.code.match_indices(call) {
            let rest = source.code.get(at + call.len()..).unwrap_or_default();
            let name = rest.split('"').next().unwrap_or_default();
            if !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c == '_') {
                names.insert(name.to_owned());
            }
        }
    }
    names
}
