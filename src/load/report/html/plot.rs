//! A plot as SVG: two axes with their units, lines or bars, and what they stand for.

use super::axis::Scale;
use super::escape;
use std::fmt::Write;

/// In units of the drawing; it scales with the page.
const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 66.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 46.0;

pub struct Axis {
    pub name: &'static str,
    pub scale: Scale,
    /// What is written beside a tick.
    pub show: fn(f64) -> String,
}

pub struct Plot {
    pub title: &'static str,
    /// A sentence on how to read it.
    pub caption: String,
    pub x: Axis,
    pub y: Axis,
    pub lines: Vec<Line>,
    pub bars: Vec<Bar>,
}

pub struct Line {
    /// In the legend; empty for one that stands in no legend.
    pub name: String,
    /// Which server: the colour.
    pub server: usize,
    pub style: Style,
    pub points: Vec<(f64, f64)>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Style {
    Solid,
    Dashed,
    /// One run of several.
    Faint,
}

/// A bar with its spread, and a dot for each run.
pub struct Bar {
    pub name: String,
    pub server: usize,
    pub value: f64,
    pub label: String,
    pub runs: Vec<f64>,
}

impl Plot {
    /// A `figure` element.
    pub fn svg(&self) -> String {
        let mut out = String::new();
        // Writing to a string does not fail.
        let _ = write!(
            out,
            "<figure><figcaption><b>{}</b></figcaption>\n<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
             aria-label=\"{}\" xmlns=\"http://www.w3.org/2000/svg\">\n",
            escape(self.title),
            escape(self.title),
        );
        self.axes(&mut out);
        self.lines.iter().for_each(|line| self.line(&mut out, line));
        self.bars.iter().enumerate().for_each(|(i, bar)| self.bar(&mut out, i, bar));
        out.push_str("</svg>\n");
        self.legend(&mut out);
        let _ = writeln!(out, "<p class=\"caption\">{}</p></figure>", escape(&self.caption));
        out
    }

    fn x(&self, value: f64) -> f64 {
        LEFT + self.x.scale.place(value) * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, value: f64) -> f64 {
        HEIGHT - BOTTOM - self.y.scale.place(value) * (HEIGHT - TOP - BOTTOM)
    }

    fn axes(&self, out: &mut String) {
        let (right, floor) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        for tick in self.y.scale.ticks() {
            let y = self.y(tick);
            let text = escape(&(self.y.show)(tick));
            let _ = writeln!(
                out,
                "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{right}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>"
            );
            let _ = writeln!(
                out,
                "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{text}</text>",
                LEFT - 7.0,
                y + 4.0
            );
        }
        if self.bars.is_empty() {
            for tick in self.x.scale.ticks() {
                let x = self.x(tick);
                let text = escape(&(self.x.show)(tick));
                let _ = writeln!(
                    out,
                    "<line class=\"grid\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{floor}\"/>"
                );
                let _ = writeln!(
                    out,
                    "<text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{text}</text>",
                    floor + 17.0
                );
            }
        }
        let _ = writeln!(
            out,
            "<line class=\"axis\" x1=\"{LEFT}\" x2=\"{right}\" y1=\"{floor}\" y2=\"{floor}\"/>"
        );
        let _ = writeln!(
            out,
            "<text class=\"name\" x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            (LEFT + right) / 2.0,
            HEIGHT - 8.0,
            escape(self.x.name)
        );
        let middle = (TOP + floor) / 2.0;
        let _ = writeln!(
            out,
            "<text class=\"name\" x=\"13\" y=\"{middle}\" text-anchor=\"middle\" transform=\"rotate(-90 13 {middle})\">{}</text>",
            escape(self.y.name)
        );
    }

    fn line(&self, out: &mut String, line: &Line) {
        let points: Vec<String> =
            line.points.iter().map(|(x, y)| format!("{:.1},{:.1}", self.x(*x), self.y(*y))).collect();
        let _ = writeln!(
            out,
            "<polyline class=\"line s{} {}\" points=\"{}\"/>",
            line.server,
            line.style.class(),
            points.join(" ")
        );
    }

    fn bar(&self, out: &mut String, i: usize, bar: &Bar) {
        let slot = (WIDTH - LEFT - RIGHT) / self.bars.len() as f64;
        let wide = (slot * 0.5).min(110.0);
        let middle = LEFT + slot * (i as f64 + 0.5);
        let (floor, top) = (HEIGHT - BOTTOM, self.y(bar.value));
        let _ = writeln!(
            out,
            "<rect class=\"bar s{}\" x=\"{:.1}\" y=\"{top:.1}\" width=\"{wide:.1}\" height=\"{:.1}\" rx=\"3\"/>",
            bar.server,
            middle - wide / 2.0,
            floor - top
        );
        let (low, high) =
            bar.runs.iter().fold((bar.value, bar.value), |(a, b), run| (a.min(*run), b.max(*run)));
        if bar.runs.len() > 1 {
            let (low, high) = (self.y(low), self.y(high));
            let _ = writeln!(
                out,
                "<path class=\"spread\" d=\"M{middle:.1} {low:.1}V{high:.1}M{:.1} {low:.1}h12M{:.1} {high:.1}h12\"/>",
                middle - 6.0,
                middle - 6.0
            );
            for (n, run) in bar.runs.iter().enumerate() {
                // Side by side, so that equal ones do not hide each other.
                let x = middle
                    + (n as f64 + 0.5 - bar.runs.len() as f64 / 2.0) * (wide / (bar.runs.len() as f64 + 1.0));
                let _ =
                    writeln!(out, "<circle class=\"run\" cx=\"{x:.1}\" cy=\"{:.1}\" r=\"3\"/>", self.y(*run));
            }
        }
        let label_at = (self.y(high) - 7.0).max(TOP + 4.0);
        let _ = writeln!(
            out,
            "<text class=\"value\" x=\"{middle:.1}\" y=\"{label_at:.1}\" text-anchor=\"middle\">{}</text>\n\
             <text x=\"{middle:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            escape(&bar.label),
            floor + 17.0,
            escape(&bar.name)
        );
    }

    fn legend(&self, out: &mut String) {
        let named: Vec<&Line> = self.lines.iter().filter(|line| !line.name.is_empty()).collect();
        if named.is_empty() {
            return;
        }
        out.push_str("<ul class=\"legend\">");
        for line in named {
            let _ = write!(
                out,
                "<li><svg viewBox=\"0 0 26 8\" aria-hidden=\"true\" xmlns=\"http://www.w3.org/2000/svg\"><line class=\"line s{} {}\" x1=\"0\" x2=\"26\" y1=\"4\" y2=\"4\"/></svg>{}</li>",
                line.server,
                line.style.class(),
                escape(&line.name)
            );
        }
        out.push_str("</ul>\n");
    }
}

impl Style {
    fn class(self) -> &'static str {
        match self {
            Style::Solid => "solid",
            Style::Dashed => "dashed",
            Style::Faint => "faint",
        }
    }
}
