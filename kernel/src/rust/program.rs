//! The program that a cell was compiled as, and where its lines stand in the cell.

/// A cell and its program: the cell's code between that of earlier cells and of evcxr.
#[derive(Debug, Clone)]
pub(super) struct Program {
    cell: String,
    code: String,
    source: String,
}

/// The function that evcxr makes of a cell's statements has a name that begins so.
const CELL_FUNCTION: &str = "fn run_user_code_";

impl Program {
    /// `cell` names the cell in sentences: `the cell`, `cell [3]`.
    pub(super) fn new(cell: impl Into<String>, code: impl Into<String>, source: String) -> Self {
        Self {
            cell: cell.into(),
            code: code.into(),
            source,
        }
    }

    /// A location, `file:line:column`, in words: a line of the cell, of another one, or of a crate.
    pub(super) fn place(&self, location: &str) -> String {
        let mut parts = location.rsplitn(3, ':');
        let (_column, line, file) = (parts.next(), parts.next(), parts.next());
        let line: Option<usize> = line.and_then(|line| line.parse().ok());
        let (Some("src/lib.rs"), Some(line)) = (file, line) else {
            return format!("at {location}");
        };
        if let Some(line) = self.line_in_cell(line) {
            return format!("line {line} of {}", self.cell);
        }
        let text = self.source.lines().nth(line.saturating_sub(1));
        format!("in code of a cell: {}", text.unwrap_or_default().trim())
    }

    /// The cell's line, from 1, that stands at a line of the program; `None` if that line is not the
    /// cell's, or cannot be told from one of an earlier cell.
    fn line_in_cell(&self, line: usize) -> Option<usize> {
        let lines: Vec<&str> = self.source.lines().map(str::trim).collect();
        let text = *lines.get(line.checked_sub(1)?)?;
        let header = lines.iter().rposition(|line| line.contains(CELL_FUNCTION));
        let begin = header.map_or(0, |header| header + 1);
        if line <= begin {
            // Among the items of all cells: it must be the only line of that kind.
            let is_only = lines.iter().filter(|other| **other == text).count() == 1;
            return self.own_lines(text).next().filter(|_| is_only);
        }
        // Statements stand in their order. evcxr writes on the line of a value that it shows.
        let own = self.code.lines().map(str::trim);
        let own = own.filter(|own| !own.is_empty() && text.contains(own));
        let own = own.max_by_key(|own| own.len())?;
        let before = lines.get(begin..line)?.iter();
        let before = before.filter(|line| line.contains(own));
        let nth = before.count().checked_sub(1)?;
        self.own_lines(own).nth(nth)
    }

    /// The numbers of the cell's lines with this text.
    fn own_lines(&self, text: &str) -> impl Iterator<Item = usize> {
        let own = self.code.lines().enumerate();
        own.filter_map(move |(index, line)| (line.trim() == text).then_some(index + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(source: &[&str], code: &str) -> Program {
        Program::new("cell [3]", code, source.join("\n"))
    }

    const HEADER: &str = "pub extern \"C\" fn run_user_code_3(";

    #[test]
    fn a_statement_is_found_by_its_order() {
        let source = [
            "fn f() {",
            "let a = v[9];",
            "}",
            HEADER,
            "let a = v[9];",
            "let b = 1;",
            "let a = v[9];",
        ];
        let cell = program(&source, "let a = v[9];\n  let b = 1;\nlet a = v[9];");
        assert_eq!(cell.place("src/lib.rs:5:9"), "line 1 of cell [3]");
        assert_eq!(cell.place("src/lib.rs:7:9"), "line 3 of cell [3]");
        let told = "in code of a cell: let a = v[9];";
        assert_eq!(
            cell.place("src/lib.rs:2:9"),
            told,
            "whose it is cannot be told"
        );
        assert_eq!(cell.place("/a:b/c.rs:7:1"), "at /a:b/c.rs:7:1");
    }

    #[test]
    fn a_value_that_is_shown_is_found() {
        let source = [HEADER, "let kept = 1;", "(kept[7]).evcxr_display();"];
        let cell = program(&source, "let kept = 1;\n\nkept[7]");
        assert_eq!(cell.place("src/lib.rs:3:2"), "line 3 of cell [3]");
    }

    #[test]
    fn a_line_of_an_own_function_is_found() {
        let source = [
            "fn old() {",
            "panic!(\"old\")",
            "}",
            "fn new() {",
            "panic!(\"new\")",
            "}",
            HEADER,
        ];
        let cell = program(&source, "fn new() {\n    panic!(\"new\")\n}");
        assert_eq!(cell.place("src/lib.rs:5:5"), "line 2 of cell [3]");
        assert_eq!(
            cell.place("src/lib.rs:2:5"),
            "in code of a cell: panic!(\"old\")"
        );
    }
}
