//! Text that the prelude prints.

use std::io::{self, Write};

/// Prints text that ends its line.
pub(crate) fn print_lines(text: &str) {
    let line = text.trim_end_matches('\n');
    let mut stdout = io::stdout().lock();
    // Nobody is left to hear about it if this fails.
    let _ = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
}
