//! Where what lasts is kept.

use super::Options;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// What was said about it, on the command line or in the file.
#[derive(PartialEq, Eq, Debug)]
pub enum Wish {
    /// It is to be nowhere.
    Nowhere,
    In(PathBuf),
    /// Where such things are.
    Usual,
}

/// What the flags say, else what the file says. Only both together in one place contradict each other.
///
/// # Errors
/// A sentence, where they do.
pub fn of(flags: &Options, file: &Options) -> Result<Wish, String> {
    for options in [flags, file] {
        if options.ephemeral == Some(true) && options.directory().is_some() {
            return Err("data-dir says where accounts and rooms are kept, and ephemeral that they are not; \
                        take one of them away"
                .to_owned());
        }
    }
    let is_nowhere = match (flags.ephemeral, flags.directory()) {
        (Some(said), _) => said,
        (None, Some(_)) => false,
        (None, None) => file.ephemeral.unwrap_or(false),
    };
    if is_nowhere {
        return Ok(Wish::Nowhere);
    }
    let directory = flags.directory().or(file.directory());
    Ok(directory.map_or(Wish::Usual, |directory| Wish::In(directory.to_owned())))
}

impl Options {
    /// An empty name is none.
    fn directory(&self) -> Option<&Path> {
        self.data_dir.as_deref().filter(|directory| !directory.as_os_str().is_empty())
    }
}

impl Wish {
    /// The directory. `variable` looks into the environment: a service manager may say where (systemd.exec(5),
    /// `StateDirectory=`); else it is where the XDG Base Directory Specification has it, which wants absolute paths.
    ///
    /// # Errors
    /// A sentence, where nothing says where.
    pub fn directory(self, variable: impl Fn(&str) -> Option<OsString>) -> Result<Option<PathBuf>, String> {
        let absolute = |path: PathBuf| Some(path).filter(|path| path.is_absolute());
        let named = |name: &str| absolute(variable(name)?.into());
        let given = || std::env::split_paths(&variable("STATE_DIRECTORY")?).find_map(absolute);
        let under = |state: PathBuf| state.join("switchboard");
        let usual = || {
            let of_home = || named("HOME").map(|home| home.join(".local/state"));
            given().or_else(|| named("XDG_STATE_HOME").or_else(of_home).map(under))
        };
        match self {
            Wish::Nowhere => Ok(None),
            Wish::In(directory) => Ok(Some(directory)),
            Wish::Usual => usual().map(Some).ok_or_else(|| NOWHERE.to_owned()),
        }
    }
}

const NOWHERE: &str = "nothing says where to keep accounts and rooms, as HOME is not set; name a directory with --data-dir, \
                       or keep nothing with --ephemeral";

#[cfg(test)]
mod tests {
    use super::*;

    fn options(file: &str) -> Options {
        toml::from_str(file).expect("a valid file")
    }

    fn wish(flags: &str, file: &str) -> Wish {
        of(&options(flags), &options(file)).expect("no contradiction")
    }

    fn usual(variables: &[(&str, &str)]) -> Result<Option<PathBuf>, String> {
        let find = |name: &str| variables.iter().find(|(known, _)| *known == name);
        Wish::Usual.directory(|name| find(name).map(|(_, value)| value.into()))
    }

    #[test]
    fn flags_win_over_the_file() {
        let here = || Wish::In("/here".into());
        for (flags, file, expected) in [
            ("", "", Wish::Usual),
            ("", "data-dir = \"\"\nephemeral = false", Wish::Usual),
            ("", "data-dir = \"/here\"", here()),
            ("", "ephemeral = true", Wish::Nowhere),
            ("data-dir = \"/here\"", "data-dir = \"/there\"", here()),
            ("data-dir = \"/here\"", "ephemeral = true", here()),
            ("ephemeral = true", "data-dir = \"/there\"", Wish::Nowhere),
            ("ephemeral = false", "data-dir = \"/here\"", here()),
            ("ephemeral = false", "ephemeral = true", Wish::Usual),
        ] {
            assert_eq!(wish(flags, file), expected, "{flags:?} over {file:?}");
        }
        let both = options("ephemeral = true\ndata-dir = \"/here\"");
        for (flags, file) in [(&both, &options("")), (&options(""), &both)] {
            assert!(of(flags, file).is_err_and(|what| what.contains("take one of them away")));
        }
    }

    #[test]
    fn the_usual_place_is_where_services_and_people_keep_their_state() {
        let (home, state) = (("HOME", "/people/ann"), ("XDG_STATE_HOME", "/state"));
        let service = ("STATE_DIRECTORY", "/var/lib/chat:/var/lib/more");
        let place = |variables: &[_]| usual(variables).expect("a place").expect("one that lasts");
        assert_eq!(place(&[home]), Path::new("/people/ann/.local/state/switchboard"));
        assert_eq!(place(&[home, state]), Path::new("/state/switchboard"));
        assert_eq!(place(&[home, state, service]), Path::new("/var/lib/chat"));
        assert_eq!(
            place(&[home, ("XDG_STATE_HOME", "state")]),
            Path::new("/people/ann/.local/state/switchboard")
        );
        for nowhere in [&[][..], &[("HOME", "")], &[("HOME", "home")]] {
            let error = usual(nowhere).expect_err("no place");
            assert!(error.contains("--data-dir") && error.contains("--ephemeral"), "{error}");
        }
    }
}
