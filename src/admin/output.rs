//! What was seen, printed: a table for people, rows with tabs or lines of JSON for programs.

use crate::chat::sanitise;
use jiff::Timestamp;
use serde_json::{Map, Value};
use std::io::{self, Write};

/// How it is printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// Columns below headings, for a terminal.
    Aligned,
    /// A row is a line, its columns with a tab between them; no headings.
    Tabs,
    /// A row is a line with an object of JSON.
    Json,
}

/// What a column has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Meaning {
    Text,
    Number,
    /// In milliseconds since 1970.
    Time,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Column {
    pub name: &'static str,
    pub meaning: Meaning,
}

/// Rows as the server has them: each with as many cells as there are columns.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Table {
    pub columns: &'static [Column],
    pub rows: Vec<Vec<String>>,
}

pub fn print(table: &Table, format: Format, out: &mut impl Write) -> io::Result<()> {
    match format {
        Format::Aligned => print_aligned(table, out)?,
        Format::Tabs => {
            for row in &table.rows {
                writeln!(out, "{}", cells(table, row).collect::<Vec<_>>().join("\t"))?;
            }
        }
        Format::Json => {
            for row in &table.rows {
                let members = table.columns.iter().zip(row);
                let object: Map<String, Value> = members
                    .map(|(column, cell)| (column.name.to_owned(), value(column.meaning, cell)))
                    .collect();
                writeln!(out, "{}", Value::Object(object))?;
            }
        }
    }
    out.flush()
}

fn print_aligned(table: &Table, out: &mut impl Write) -> io::Result<()> {
    let headings = table.columns.iter().map(|column| column.name.to_uppercase()).collect();
    let rows = table.rows.iter().map(|row| cells(table, row).collect());
    let lines: Vec<Vec<String>> = std::iter::once(headings).chain(rows).collect();
    let width =
        |at: usize| lines.iter().filter_map(|line| line.get(at)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..table.columns.len()).map(|at| width(at).unwrap_or(0)).collect();
    for line in &lines {
        let mut shown = String::new();
        for ((cell, width), column) in line.iter().zip(&widths).zip(table.columns) {
            let gap = " ".repeat(width.saturating_sub(cell.chars().count()));
            match column.meaning {
                Meaning::Number => shown.extend([&*gap, cell, "  "]),
                Meaning::Text | Meaning::Time => shown.extend([cell, &*gap, "  "]),
            }
        }
        writeln!(out, "{}", shown.trim_end())?;
    }
    Ok(())
}

/// A row as lines of text have it: no tab of somebody's ends a column, and nothing acts on a terminal.
fn cells<'a>(table: &'a Table, row: &'a [String]) -> impl Iterator<Item = String> + 'a {
    table.columns.iter().zip(row).map(|(column, cell)| match column.meaning {
        Meaning::Text | Meaning::Number => sanitise(cell).replace('\t', " "),
        Meaning::Time => time(cell).map_or_else(String::new, |time| time.to_string()),
    })
}

fn value(meaning: Meaning, cell: &str) -> Value {
    match meaning {
        Meaning::Text => cell.into(),
        Meaning::Number => match cell.parse::<u64>() {
            Ok(whole) => whole.into(),
            Err(_) => cell.parse::<f64>().map_or(Value::Null, Value::from),
        },
        Meaning::Time => time(cell).map_or(Value::Null, |time| time.to_string().into()),
    }
}

/// To the second.
fn time(cell: &str) -> Option<Timestamp> {
    Timestamp::from_second(cell.parse::<i64>().ok()?.div_euclid(1_000)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &[Column] = &[
        Column { name: "name", meaning: Meaning::Text },
        Column { name: "made", meaning: Meaning::Time },
        Column { name: "sessions", meaning: Meaning::Number },
    ];

    fn printed(rows: &[[&str; 3]], format: Format) -> String {
        let rows = rows.iter().map(|row| row.map(str::to_owned).to_vec()).collect();
        let mut out = Vec::new();
        print(&Table { columns: COLUMNS, rows }, format, &mut out).expect("memory takes everything");
        String::from_utf8(out).expect("text")
    }

    const ROWS: &[[&str; 3]] = &[["ann", "1767225600123", "2"], ["béatrice", "", "10"]];

    #[test]
    fn a_table_for_people_is_aligned() {
        let expected = "\
NAME      MADE                  SESSIONS
ann       2026-01-01T00:00:00Z         2
béatrice                              10
";
        assert_eq!(printed(ROWS, Format::Aligned), expected);
    }

    #[test]
    fn a_row_for_programs_is_one_line() {
        assert_eq!(printed(ROWS, Format::Tabs), "ann\t2026-01-01T00:00:00Z\t2\nbéatrice\t\t10\n");
        assert_eq!(
            printed(ROWS, Format::Json),
            "{\"name\":\"ann\",\"made\":\"2026-01-01T00:00:00Z\",\"sessions\":2}\n\
             {\"name\":\"béatrice\",\"made\":null,\"sessions\":10}\n"
        );
    }

    #[test]
    fn what_people_write_stays_in_its_place() {
        let row = [["a\tb\u{1b}[2J", "x", "y"]];
        assert_eq!(printed(&row, Format::Tabs), "a b^[[2J\t\ty\n");
        assert_eq!(
            printed(&row, Format::Json),
            "{\"name\":\"a\\tb\\u001b[2J\",\"made\":null,\"sessions\":null}\n"
        );
    }
}
