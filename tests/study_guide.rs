//! The lab of docs/STUDY.md is true: its commands do and show what it says, the code that it names is there, and the lines
//! that its exercises change are as they are written.
//!
//! That the exercises fail as they should takes a build for each, and so is not seen to here: `docs/study/exercises.py`.

#[path = "study_guide/guide.rs"]
mod guide;
#[path = "study_guide/pattern.rs"]
mod pattern;
#[path = "study_guide/scene.rs"]
mod scene;

use guide::{Guide, Lesson};
use scene::Scene;
use std::fs;
use std::path::Path;

/// How many lessons there are, so that none of them gets lost in what reads them.
const LESSONS: usize = 12;

/// One after the other; the tests beside each other.
fn play(numbers: impl IntoIterator<Item = usize>) {
    let guide = Guide::read();
    for number in numbers {
        let lesson = guide.lesson(number);
        Scene::set(&guide.setup, lesson).play(lesson);
    }
}

#[test]
fn what_the_first_lessons_show_is_so() {
    play(1..=4);
}

#[test]
fn what_the_next_lessons_show_is_so() {
    play(5..=8);
}

#[test]
fn what_the_last_lessons_show_is_so() {
    play(9..=LESSONS);
}

#[test]
fn every_lesson_is_whole_and_in_the_list() {
    let guide = Guide::read();
    let numbers: Vec<usize> = guide.lessons.iter().map(|lesson| lesson.number).collect();
    assert_eq!(numbers, (1..=LESSONS).collect::<Vec<_>>());
    for Lesson { number, title, .. } in &guide.lessons {
        let anchor = title.to_lowercase().replace(' ', "-");
        let anchor: String = anchor.chars().filter(|c| c.is_alphanumeric() || *c == '-').collect();
        let row = format!("| {number} | [{title}](#{number}-{anchor}) |");
        assert!(guide.text.contains(&row), "no row {row:?} in the list of lessons");
    }
}

#[test]
fn the_code_that_lessons_name_is_there() {
    for lesson in &Guide::read().lessons {
        assert!(lesson.places.len() >= 2, "lesson {} names too little", lesson.number);
        for place in &lesson.places {
            let text = source(&place.file);
            assert!(!place.names.is_empty(), "lesson {} names nothing in {}", lesson.number, place.file);
            for name in &place.names {
                let is_there = text.lines().any(|line| defines(line, name));
                assert!(is_there, "lesson {}: {} has no item `{name}`", lesson.number, place.file);
            }
        }
    }
}

#[test]
fn every_exercise_changes_lines_that_are_there_once() {
    for Lesson { number, exercise, .. } in &Guide::read().lessons {
        let text = source(&exercise.file);
        assert_ne!(exercise.before, exercise.after, "exercise {number} changes nothing");
        let found = text.matches(&exercise.before).count();
        assert_eq!(found, 1, "exercise {number}, in {}:\n{}", exercise.file, exercise.before);
    }
}

#[test]
fn the_test_that_an_exercise_breaks_is_there() {
    for Lesson { number, exercise, .. } in &Guide::read().lessons {
        let words: Vec<&str> = exercise.test.split_whitespace().collect();
        let (file, name) = match words[..] {
            ["cargo", "test", "--test", target, name] => (Some(format!("tests/{target}.rs")), name),
            ["cargo", "test", "--lib", name] => (None, name),
            _ => panic!("exercise {number}: {:?} is no command that runs one test", exercise.test),
        };
        let heading = format!("fn {name}()");
        let count =
            |text: String| text.lines().filter(|line| line.trim_start().starts_with(&heading)).count();
        let found = match file {
            Some(file) => count(source(&file)),
            None => count_in_sources(Path::new("src"), &count),
        };
        assert_eq!(found, 1, "exercise {number}: tests of the name {name}");
        assert!(!exercise.fails.is_empty(), "exercise {number} does not say how it fails");
    }
}

fn source(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path))
        .unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// Whether this line defines an item of that name.
fn defines(line: &str, name: &str) -> bool {
    let words = line.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty());
    let words: Vec<&str> = words.collect();
    words.windows(2).any(|pair| {
        let is_item = matches!(pair[0], "fn" | "struct" | "enum" | "const" | "static" | "trait" | "type");
        is_item && pair[1] == name
    })
}

fn count_in_sources(directory: &Path, count: &impl Fn(String) -> usize) -> usize {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let entries = fs::read_dir(root.join(directory)).expect("a directory");
    let count_in = |path: &Path| match path.is_dir() {
        true => count_in_sources(path, count),
        false => count(fs::read_to_string(path).unwrap_or_default()),
    };
    entries.map(|entry| count_in(&entry.expect("an entry").path())).sum()
}
