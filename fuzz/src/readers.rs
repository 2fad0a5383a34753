//! Every reader of pipebill, given the bytes of a file. The fuzz targets and the suite, which replays
//! what they found, both call these; none may panic, whatever the bytes.

use std::{
    io::Cursor,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use bytes::Bytes;
use pipebill::{
    app::{App, DataSource},
    cli,
    domain::{
        allocation::Policy,
        ids::{Region, ServiceCode},
        period::Month,
    },
    exports::{self, Entry, ImportError, ImportOptions, Input, Store, Unwatched},
    inputs::gl_mapping,
    inputs::infra::{
        self,
        cloudformation::{self, Options, Template},
    },
    inputs::scenario_file,
    inputs::usage_file,
    pricing::price_list::{self, ListedPrice},
    report,
};

/// A reader: what it is called, and what reads the bytes of a file.
pub type Reader = (&'static str, fn(&[u8]));

/// All of them. Each has a target of its name, and a folder of what was found in `tests/fixtures/fuzz`.
pub const READERS: [Reader; 15] = [
    ("charges", text),
    ("console_csv", text),
    ("text", text),
    ("cost_explorer", text),
    ("parquet", parquet),
    ("parquet_pages", parquet),
    ("delivery", delivery),
    ("price_list", price_lists),
    ("usage_file", usage),
    ("infra", infrastructure),
    ("scenario", scenario),
    ("scenario_flag", scenario_flag),
    ("gl_mapping", mapping),
    ("definition", definition),
    ("template", template),
];

static APP: LazyLock<App> = LazyLock::new(|| {
    let today = "2026-11-30".parse().expect("a day");
    App::new(today, DataSource::File(PathBuf::from("/nowhere/ledger")))
        .expect("the catalogue reads")
});

fn skipping() -> ImportOptions {
    ImportOptions {
        skip_bad_rows: true,
        include_services: vec![ServiceCode::new("AWS Lambda")],
        ..ImportOptions::default()
    }
}

/// Reads an export of any kind. Where rows had to be left out, reading stops at the first of them unless
/// told otherwise.
fn text(bytes: &[u8]) {
    let read = |options: &ImportOptions| {
        let input = Cursor::new(bytes);
        exports::import_reader("x.csv", input, &APP.catalog, options, &Unwatched)
    };
    match read(&skipping()) {
        Err(error) => explained(&error),
        Ok(delivery) if delivery.bad_rows.is_empty() => {}
        Ok(_) => {
            let stopped = read(&ImportOptions {
                skip_bad_rows: false,
                ..skipping()
            });
            explained(&stopped.expect_err("a row cannot be read"));
        }
    }
}

/// An error that a reader of it can do something with.
fn explained(error: &ImportError) {
    assert!(!error.to_string().is_empty());
}

/// A folder in memory.
struct Memory(Vec<(String, Bytes)>);

impl Store for Memory {
    fn name(&self) -> String {
        "memory".to_owned()
    }

    fn list(&self) -> Result<Vec<Entry>, ImportError> {
        let entries = self.0.iter().map(|(path, bytes)| Entry {
            path: path.clone(),
            size: bytes.len() as u64,
            tag: String::new(),
        });
        Ok(entries.collect())
    }

    fn read(&self, entry: &Entry) -> Result<Vec<u8>, ImportError> {
        let found = self.0.iter().find(|(path, _)| *path == entry.path);
        Ok(found.map(|(_, bytes)| bytes.to_vec()).unwrap_or_default())
    }

    fn input(&self, entry: &Entry) -> Result<Input, ImportError> {
        let bytes = Bytes::from(self.read(entry)?);
        Ok(Input {
            name: PathBuf::from(&entry.path),
            length: bytes.len() as u64,
            is_far: false,
            open: Box::new(move || Ok(Box::new(bytes.clone()))),
        })
    }
}

fn parquet(bytes: &[u8]) {
    let store = Memory(vec![(
        "x.parquet".to_owned(),
        Bytes::copy_from_slice(bytes),
    )]);
    let read = exports::import_store(
        &store,
        &|_| false,
        None,
        &APP.catalog,
        &skipping(),
        &Unwatched,
    );
    if let Err(error) = read {
        explained(&error);
    }
}

/// Between the files of a folder, as text: the path of the next one, and a line end.
pub const NEXT_FILE: &str = "\u{1}file ";

/// Reads a folder of deliveries, written as one text.
fn delivery(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let files = text.split(NEXT_FILE).skip(1).map(|file| {
        let (path, content) = file.split_once('\n').unwrap_or((file, ""));
        (path.to_owned(), Bytes::copy_from_slice(content.as_bytes()))
    });
    let store = Memory(files.collect());
    for month in [None, Some(Month::of(APP.today))] {
        let options = ImportOptions {
            month,
            ..skipping()
        };
        let plan = exports::plan_store(&store, &|_| false, &options);
        let read =
            exports::import_store(&store, &|_| false, None, &APP.catalog, &options, &Unwatched);
        if let Err(error) = plan.and(read.map(|_| ())) {
            explained(&error);
        }
    }
}

/// Reads AWS's price lists, and what was kept of them.
fn price_lists(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let prices = match price_list::read("x.csv", text, &APP.catalog) {
        Ok(list) => list.prices,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            serde_json::from_str::<Vec<ListedPrice>>(text).unwrap_or_default()
        }
    };
    price_list::tariffs(&prices, &APP.catalog);
}

/// Reads stated usage, and what it costs.
/// Reads infrastructure code of any tool.
fn infrastructure(bytes: &[u8]) {
    if let Err(error) = infra::parse("plan.json", bytes.to_vec()) {
        assert!(!error.to_string().is_empty());
    }
}

fn usage(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    match usage_file::parse("usage.toml", text, &APP.catalog) {
        Ok(file) => {
            let month = file.month.unwrap_or_else(|| Month::of(APP.today));
            let region = file.region.clone();
            let plan = file.plan(month, region.unwrap_or_else(|| Region::new("us-east-1")));
            if let Ok(bill) = APP.rate_plan(&plan, &file.terms, Policy::default(), true) {
                let title = String::new();
                let detail = report::bill::Detail::default();
                let answer = report::bill::answer(&bill, title, &APP.catalog, detail);
                assert!(!answer.json().is_empty());
            }
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// Reads a scenario, and what is written of it again.
fn scenario(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    match scenario_file::parse("x.toml", text, &APP.catalog) {
        Ok(read) => {
            let written = report::scenario_file::write(&read, &[]);
            let again = scenario_file::parse("x.toml", &written, &APP.catalog);
            // A note loses what no terminal should see.
            let changes = again.map(|again| again.changes);
            let is_clean = !read
                .changes
                .iter()
                .any(|change| change.to_string().contains(char::is_control));
            assert!(
                !is_clean || changes.is_ok_and(|changes| changes == read.changes),
                "{written}"
            );
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// Reads the same words as the command line has them.
fn scenario_flag(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let catalog = &APP.catalog;
    let errors = [
        scenario_file::parse_set("--set", text, catalog).err(),
        scenario_file::parse_axis("--sweep", text, catalog).err(),
        scenario_file::parse_range("--breakeven", text, catalog).err(),
        scenario_file::parse_knob("--tornado", text, catalog).err(),
    ];
    assert!(
        errors
            .iter()
            .flatten()
            .all(|error| !error.to_string().is_empty())
    );
}

fn mapping(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Err(error) = gl_mapping::parse("gl.toml", text, &APP.catalog) {
        assert!(!error.to_string().is_empty());
    }
}

fn definition(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Err(error) = cli::check_definition("x.toml", text) {
        assert!(!error.to_string().is_empty());
    }
}

/// Reads a template without what lies beside it, and the same bytes as a file of parameters.
fn template(bytes: &[u8]) {
    let nothing = |_: &Path| Err(std::io::Error::from(std::io::ErrorKind::NotFound));
    let template = Template {
        file: PathBuf::from("x.yaml"),
        bytes: bytes.to_vec(),
        ..Template::default()
    };
    let errors = [
        cloudformation::read(&[template], &Options::default(), &nothing).err(),
        cloudformation::read_parameters("x.json", bytes).err(),
    ];
    assert!(
        errors
            .iter()
            .flatten()
            .all(|error| !error.to_string().is_empty())
    );
}
