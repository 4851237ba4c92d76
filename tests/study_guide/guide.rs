//! docs/STUDY.md, taken apart.

use std::fs;
use std::path::Path;

/// The whole page.
pub struct Guide {
    pub text: String,
    /// What every terminal begins with.
    pub setup: String,
    pub lessons: Vec<Lesson>,
}

pub struct Lesson {
    pub number: usize,
    pub title: String,
    /// What the first terminal is given, and the second.
    pub server: String,
    pub run: String,
    /// What the second prints, from its first line to its last.
    pub shows: String,
    /// What the trace of the server has somewhere.
    pub trace: String,
    /// What is asked of recorded captures, and what they show.
    pub wire: Option<(String, String)>,
    pub places: Vec<Place>,
    pub exercise: Exercise,
}

/// Items of a file.
pub struct Place {
    pub file: String,
    pub names: Vec<String>,
}

pub struct Exercise {
    pub file: String,
    /// Whole lines, as they are and as they are to be.
    pub before: String,
    pub after: String,
    /// The command.
    pub test: String,
    pub fails: String,
}

impl Guide {
    pub fn read() -> Guide {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/STUDY.md");
        let text = fs::read_to_string(path).expect("the guide");
        let parts: Vec<&str> = text.split("\n## ").collect();
        let is_lesson = |part: &&&str| part.starts_with(|c: char| c.is_ascii_digit());
        let lessons = parts.iter().filter(is_lesson).map(|part| Lesson::read(part)).collect();
        Guide { setup: block(&text, "sh setup"), lessons, text }
    }

    pub fn lesson(&self, number: usize) -> &Lesson {
        let found = self.lessons.iter().find(|lesson| lesson.number == number);
        found.unwrap_or_else(|| panic!("there is no lesson {number}"))
    }
}

impl Lesson {
    /// From its number on.
    fn read(text: &str) -> Lesson {
        let heading = text.lines().next().unwrap_or_default();
        let (number, title) = heading.split_once(". ").unwrap_or_else(|| panic!("no lesson: {heading:?}"));
        Lesson {
            number: number.parse().expect("the number of a lesson"),
            title: title.to_owned(),
            server: block(text, "sh server"),
            run: block(text, "sh run"),
            shows: block(text, "text shows"),
            trace: block(text, "text trace"),
            wire: text.contains("\n```sh wire\n").then(|| (block(text, "sh wire"), block(text, "text wire"))),
            places: text.split("\n- ").skip(1).filter_map(Place::read).collect(),
            exercise: Exercise::read(text),
        }
    }
}

impl Place {
    /// A link to a file, names of items in it, a colon, and what they do.
    fn read(text: &str) -> Option<Place> {
        let text = &text.split_whitespace().collect::<Vec<_>>().join(" ");
        let (file, rest) = text.strip_prefix("[src/")?.split_once("](../src/")?;
        let (target, rest) = rest.split_once(')')?;
        assert_eq!(file, target, "a link goes where it says");
        let (names, _) =
            rest.split_once(": ").unwrap_or_else(|| panic!("no colon behind the names in {text:?}"));
        let names = names.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        Some(Place { file: format!("src/{file}"), names })
    }
}

impl Exercise {
    fn read(text: &str) -> Exercise {
        let diff = block(text, "diff");
        let (file, lines) = diff.split_once('\n').expect("a file and lines");
        let side = |signs: [char; 2]| -> String {
            let kept = lines.lines().filter(|line| line.starts_with(signs));
            kept.map(|line| format!("{}\n", &line[1..])).collect()
        };
        Exercise {
            file: file.strip_prefix("--- ").expect("a file").to_owned(),
            before: side([' ', '-']),
            after: side([' ', '+']),
            test: block(text, "sh test").trim().to_owned(),
            fails: block(text, "text fails"),
        }
    }
}

/// The one block that begins with these words.
fn block(text: &str, words: &str) -> String {
    let fence = format!("\n```{words}\n");
    let mut found = text.split(&fence).skip(1);
    let (first, second) = (found.next(), found.next());
    let first = first.unwrap_or_else(|| panic!("no block {words:?} in {:.60}", text));
    assert!(second.is_none(), "two blocks {words:?} in {text:.60}");
    first.split("```").next().unwrap_or_default().to_owned()
}
