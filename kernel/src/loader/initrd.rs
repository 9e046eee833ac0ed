//! The file of initial programs: a cpio archive in the `newc` format.

use spin::Once;

/// The archive that the loader brought, if it brought one.
static ARCHIVE: Once<&'static [u8]> = Once::new();

/// Makes `archive` the place where programs are looked for.
pub fn set_archive(archive: &'static [u8]) {
    ARCHIVE.call_once(|| archive);
}

/// The contents of the file at `path`, with or without a leading slash.
pub fn find(path: &str) -> Option<&'static [u8]> {
    find_in(ARCHIVE.get().copied().unwrap_or_default(), path)
}

/// The paths of all files, in the order of the archive.
pub fn paths() -> impl Iterator<Item = &'static str> {
    let archive = ARCHIVE.get().copied().unwrap_or_default();
    let entries = cpio_reader::iter_files(archive);
    entries
        .filter(|entry| !entry.file().is_empty())
        .map(|entry| normal(entry.name()))
}

fn find_in<'a>(archive: &'a [u8], path: &str) -> Option<&'a [u8]> {
    let mut entries = cpio_reader::iter_files(archive);
    entries
        .find(|entry| normal(entry.name()) == normal(path))
        .map(|entry| entry.file())
}

/// A path without what archivers and people put in front of it.
fn normal(path: &str) -> &str {
    path.strip_prefix("./")
        .unwrap_or(path)
        .trim_start_matches('/')
}

#[cfg(test)]
mod tests {
    use ktest::ktest;

    use super::{find_in, normal};

    #[ktest]
    fn paths_may_begin_with_a_dot_or_a_slash() {
        assert_eq!(normal("./bin/a"), "bin/a");
        assert_eq!(normal("/bin/a"), "bin/a");
        assert_eq!(normal("bin/a"), "bin/a");
    }

    #[ktest]
    fn a_damaged_archive_has_no_files() {
        for archive in [&b""[..], b"070701", b"no archive at all", &[0xff; 300]] {
            assert_eq!(find_in(archive, "bin/a"), None);
        }
    }
}
