//! The files of `site/`, as `build.rs` has packed them, and where they are served.

use shared::http::File;

include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// Below this they are, in a folder that is named by the hash of all of them.
pub(crate) const FOLDER: &str = "/shop/files/";

/// Where the present files are.
pub(crate) fn root() -> String {
    format!("{FOLDER}{HASH}")
}

/// The file at what stands behind [`FOLDER`]. A page that was kept may name the files of the release before: it gets
/// the present ones, which then are not to be kept under that name.
pub(crate) fn file(path: &str) -> Option<File> {
    let (hash, name) = path.split_once('/')?;
    let &(name, gzip) = FILES.iter().find(|(one, _)| *one == name)?;
    let media_type = match name.rsplit_once('.')?.1 {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        _ => "text/plain; charset=utf-8",
    };
    Some(File { media_type, gzip, immutable: hash == HASH, policy: None })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    pub(crate) fn text(name: &str) -> String {
        let file = file(&format!("{HASH}/{name}")).unwrap_or_else(|| panic!("{name} is not there"));
        std::io::read_to_string(flate2::read::GzDecoder::new(file.gzip)).unwrap()
    }

    #[test]
    fn a_file_may_be_kept_for_ever_under_the_hash_of_all_and_under_no_other() {
        assert!(file(&format!("{HASH}/theme.css")).unwrap().immutable);
        assert!(!file("of-yesterday/theme.css").unwrap().immutable);
        for path in
            ["theme.css", "", "x/", &format!("{HASH}/shop/index.html"), &format!("{HASH}/../Cargo.toml")]
        {
            assert_eq!(file(path), None, "{path}");
        }
    }

    #[test]
    fn what_is_served_has_no_comments_and_every_module_that_another_names() {
        for (name, _) in FILES.iter().filter(|(name, _)| name.ends_with(".js")) {
            let script = text(name);
            assert!(!script.lines().any(|line| line.starts_with("//") || line.starts_with(' ')), "{name}");
            let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
            for target in script.split(['"', '\'']).filter(|one| one.starts_with('.') && one.ends_with(".js"))
            {
                let path = target.strip_prefix("./").map(|rest| format!("{folder}/{rest}"));
                let path = path.unwrap_or_else(|| target.replacen("../", "", 1));
                assert!(FILES.iter().any(|(one, _)| *one == path), "{name} names {path}");
            }
        }
    }

    /// A module and what it imports at once, and what that does.
    fn with_imports(name: &str, all: &mut BTreeSet<String>) {
        if !all.insert(name.to_owned()) {
            return;
        }
        let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
        let script = text(name);
        let lines = script.lines().filter(|line| line.starts_with("import ") || line.starts_with("} from "));
        for target in lines.filter_map(|line| line.split('"').nth(1)) {
            let path = target.strip_prefix("./").map(|rest| format!("{folder}/{rest}"));
            with_imports(&path.unwrap_or_else(|| target.replacen("../", "", 1)), all);
        }
    }

    /// The bytes of these modules and of all that they import, as they are sent.
    fn size_of(modules: &[&str]) -> usize {
        let mut all = BTreeSet::new();
        for name in modules {
            with_imports(name, &mut all);
        }
        FILES.iter().filter(|(name, _)| all.contains(*name)).map(|(_, gzip)| gzip.len()).sum()
    }

    /// The most that a view may load.
    const KILOBYTES_40: usize = 40 * 1024;

    #[test]
    fn a_view_takes_40_kilobytes_of_scripts_at_most() {
        for page in ["shop", "admin"] {
            let main = format!("{page}/main.js");
            let words = |language: &str| format!("{page}/words.{language}.js");
            let views =
                FILES.iter().map(|(name, _)| *name).filter(|name| name.starts_with(&format!("{page}/")));
            let views = views.filter(|name| name.ends_with(".js") && !name.contains("/words."));
            for view in views {
                let size = size_of(&[&main, &words("en"), view]);
                assert!(size <= KILOBYTES_40, "{view} takes {size} bytes");
                if page == "admin" {
                    let size = size_of(&[&main, "common/words.de.js", &words("de"), view]);
                    assert!(size <= KILOBYTES_40, "{view} takes {size} bytes in German");
                }
            }
        }
    }

    /// The shop says in English what another language leaves out, so there is one on top of the other.
    #[test]
    fn another_language_of_the_shop_takes_9_kilobytes_more_at_most() {
        let size = size_of(&["common/words.de.js", "shop/words.de.js"]);
        assert!(size <= 9 * 1024, "it takes {size} bytes");
    }

    #[test]
    fn nothing_turns_text_into_html_or_into_code() {
        for (name, _) in FILES.iter().filter(|(name, _)| name.ends_with(".js")) {
            let script = text(name);
            for sink in [
                "innerHTML",
                "outerHTML",
                "insertAdjacentHTML",
                "document.write",
                "eval(",
                "Function(",
                "srcdoc",
            ] {
                assert!(!script.contains(sink), "{name} has {sink}");
            }
        }
    }
}
