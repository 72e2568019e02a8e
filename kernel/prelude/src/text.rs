//! Text that a cell prints.

use std::io::{self, Write};

/// Prints like std's, and shows the text at once even if the line goes on.
///
/// Take it into a cell with `use tidebook::print;`: a glob import cannot replace a macro of std.
///
/// ```no_run
/// use tidebook::print;
///
/// for step in 0..10 {
///     print!("{step} ");
/// }
/// ```
#[macro_export]
macro_rules! print {
    ($($argument:tt)*) => {{
        ::std::print!($($argument)*);
        $crate::flush();
    }};
}

/// Shows what was printed so far.
pub fn flush() {
    // Nobody is left to hear about it if this fails.
    let _ = io::stdout().flush();
}

/// Prints text that ends its line.
pub(crate) fn say(text: &str) {
    let line = text.trim_end_matches('\n');
    let mut stdout = io::stdout().lock();
    let _ = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
}
