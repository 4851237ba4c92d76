//! The files that reports go to: whole, or as they were before.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Whether it can be written. What is in it stays, and what is not there is not made.
///
/// # Errors
/// A sentence.
pub fn try_to_write(path: &Path) -> Result<(), String> {
    let was_there = path.exists();
    let opened = OpenOptions::new().append(true).create(true).open(path);
    opened.map_err(|error| cannot_write(path, &error))?;
    if !was_there {
        // Should nothing come of it, nothing is left of it. A pipe or a device has been there.
        let _ = fs::remove_file(path);
    }
    Ok(())
}

/// Writes it beside its place and moves it there, so that nobody ever finds half of it.
///
/// # Errors
/// A sentence.
pub fn write(path: &Path, text: &str) -> Result<(), String> {
    // What a link points to is replaced, and not the link.
    let place = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let known = fs::metadata(&place).ok();
    let is_file = known.as_ref().is_none_or(|known| known.is_file());
    let written = match beside(&place).filter(|_| is_file) {
        None => fs::write(path, text), // a pipe or a device
        Some(beside) => match File::create_new(&beside) {
            // The file may be ours, and its directory not.
            Err(error) if known.is_some() && error.kind() == ErrorKind::PermissionDenied => {
                fs::write(path, text)
            }
            Err(error) => Err(error),
            Ok(mut file) => {
                let moved = known
                    .map_or(Ok(()), |known| file.set_permissions(known.permissions()))
                    .and_then(|()| file.write_all(text.as_bytes()))
                    .and_then(|()| fs::rename(&beside, &place));
                if moved.is_err() {
                    let _ = fs::remove_file(&beside);
                }
                moved
            }
        },
    };
    written.map_err(|error| cannot_write(path, &error))
}

fn beside(place: &Path) -> Option<PathBuf> {
    let name = place.file_name()?.to_string_lossy();
    Some(place.with_file_name(format!(".{name}.{}", std::process::id())))
}

fn cannot_write(path: &Path, error: &io::Error) -> String {
    format!("cannot write {}: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn directory(name: &str) -> PathBuf {
        let directory = std::env::temp_dir().join(format!("bench-files-{}-{name}", std::process::id()));
        fs::create_dir_all(&directory).expect("a directory");
        directory
    }

    #[test]
    fn a_report_takes_the_place_of_the_one_before_whole() {
        let directory = directory("whole");
        let (file, link) = (directory.join("report"), directory.join("link"));
        fs::write(&file, "from yesterday").expect("a file");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).expect("its own");
        symlink("report", &link).expect("a link");
        // Who has the old one open reads it to its end.
        let old = fs::File::open(&file).expect("it is there");
        write(&link, "from today").expect("written");
        assert_eq!(io::read_to_string(old).expect("text"), "from yesterday");
        assert_eq!(fs::read_to_string(&file).expect("text"), "from today");
        assert_eq!(fs::metadata(&file).expect("it is there").permissions().mode() & 0o777, 0o640);
        assert!(fs::symlink_metadata(&link).expect("it is there").is_symlink());
        let names = fs::read_dir(&directory).expect("a directory").count();
        assert_eq!(names, 2, "nothing is left beside them");
        fs::remove_dir_all(directory).expect("ours");
    }

    #[test]
    fn what_is_no_file_is_written_to() {
        write(Path::new("/dev/null"), "text").expect("a device takes it");
        assert!(fs::metadata("/dev/null").is_ok_and(|null| !null.is_file()), "it is still a device");
        assert!(
            write(Path::new("/dev/full"), "text")
                .is_err_and(|error| error.contains("cannot write /dev/full"))
        );
    }
}
