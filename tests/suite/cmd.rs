//! The manual as a test: every console example runs as a user would run it.
//!
//! `TRYCMD=overwrite cargo test` writes what the program prints; read the difference.

fn cases(columns: &str, locale: &str, pattern: &str) {
    trycmd::TestCases::new()
        .env("COLUMNS", columns)
        .env("LC_ALL", locale)
        .env("PIPEBILL_AS_OF", "2026-11-22")
        .env("PIPEBILL_LEDGER", "tests/no-such-ledger.sqlite")
        .case(pattern);
}

#[test]
fn the_readme_shows_what_the_program_prints() {
    cases("80", "C.UTF-8", "README.md");
}

#[test]
fn the_pages_show_what_the_program_prints() {
    for page in ["compare", "ci-jobs", "why"] {
        cases("80", "C.UTF-8", &format!("docs/{page}.md"));
    }
}

#[test]
fn every_error_says_what_where_and_what_to_do() {
    cases("80", "C.UTF-8", "tests/cmd/errors/*.trycmd");
}

#[test]
fn output_fits_60_columns() {
    cases("60", "C.UTF-8", "tests/cmd/width-60/*.trycmd");
}

#[test]
fn output_fits_80_columns() {
    cases("80", "C.UTF-8", "tests/cmd/width-80/*.trycmd");
}

#[test]
fn output_fits_120_columns() {
    cases("120", "C.UTF-8", "tests/cmd/width-120/*.trycmd");
}

#[test]
fn output_is_ascii_without_a_utf8_locale() {
    cases("80", "C", "tests/cmd/ascii/*.trycmd");
}
