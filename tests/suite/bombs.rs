//! Files that claim or unpack to more than they hold: each is one error that names the file and the
//! place, in little memory and time, and the ledger is untouched.
//!
//! The Parquet files are put together here byte by byte, so that any part of them can lie.

use std::{
    fs::{self, OpenOptions},
    io::{Read, Write},
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

use flate2::{Compression, write::GzEncoder};

use crate::deliveries::{HEADER, Place, gzip, month};

/// What an import may take at most: it takes half of that for an honest file.
const MEMORY: u64 = 256 << 20;
const TIME: Duration = Duration::from_mins(4);

/// The most memory that a process has had, as long as it runs.
fn peak(child: &Child) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes << 10)
}

/// Imports within memory and time; it must end with this code. Returns what was said.
fn import(place: &Place, name: &str, code: i32) -> String {
    let started = Instant::now();
    let mut child = place
        .command(&["import", name])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut most = 0;
    let status = loop {
        most = most.max(peak(&child).unwrap_or_default());
        let elapsed = started.elapsed();
        if most > MEMORY || elapsed > TIME {
            drop(child.kill());
            panic!("{name}: {} MB after {elapsed:?}", most >> 20);
        }
        if let Some(status) = child.try_wait().expect("it ends") {
            break status;
        }
        thread::sleep(Duration::from_millis(2));
    };
    let mut said = String::new();
    for mut stream in [
        Box::new(child.stdout.take().expect("it speaks")) as Box<dyn Read>,
        Box::new(child.stderr.take().expect("it speaks")),
    ] {
        stream.read_to_string(&mut said).expect("text");
    }
    assert_eq!(status.code(), Some(code), "{name}: {said}");
    assert!(!said.contains("panicked"), "{name}: {said}");
    if code != 0 {
        assert_eq!(said.matches("error: ").count(), 1, "{name}: {said}");
        assert!(!place.path("ledger/l.sqlite").exists(), "{name}: {said}");
    }
    said
}

fn refuses(place: &Place, name: &str, why: &str) {
    let said = import(place, name, 1);
    assert!(said.contains(name) && said.contains(why), "{name}: {said}");
}

#[test]
fn ten_gigabytes_of_one_row_are_put_out_early() {
    let place = Place::new();
    let rows = month("2026-10", "1");
    let row = &rows[HEADER.len()..];
    let member = gzip(row.repeat((20 << 20) / row.len()).as_bytes());
    let path = place.write("bomb.csv.gz", gzip(HEADER.as_bytes()));
    let mut file = OpenOptions::new()
        .append(true)
        .open(&path)
        .expect("it is there");
    for _ in 0..500 {
        file.write_all(&member).expect("it is written");
    }
    refuses(&place, "bomb.csv.gz", "claims more than 200 times its size");
}

#[test]
fn a_line_without_end_is_put_out() {
    let place = Place::new();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder
        .write_all(HEADER.as_bytes())
        .expect("memory takes all");
    std::io::copy(&mut std::io::repeat(b'x').take(200 << 20), &mut encoder).expect("it packs");
    place.write("line.csv.gz", encoder.finish().expect("it packs"));
    refuses(&place, "line.csv.gz", "the record at line 2 is longer than");
}

#[test]
fn much_that_is_packed_within_the_limit_is_read_in_little_memory() {
    let place = Place::new();
    let rows = month("2026-10", "0.25");
    let row = &rows[HEADER.len()..];
    let count = (60 << 20) / row.len();
    let text = HEADER.to_owned() + &row.repeat(count);
    place.write("much.csv.gz", gzip(text.as_bytes()));
    let said = import(&place, "much.csv.gz", 0);
    assert!(
        said.replace(',', "").contains(&format!("{count} rows")),
        "{said}"
    );
}

/// A zip archive whose entries all lie in the bytes of the first one.
fn overlapping(packed: &[u8], length: u32, checksum: u32, entries: u16) -> Vec<u8> {
    let size = u32::try_from(packed.len()).expect("it is small");
    let common = |out: &mut Vec<u8>, name: &str| {
        for number in [20_u16, 0, 8, 0, 0] {
            out.extend(number.to_le_bytes());
        }
        for number in [checksum, size, length] {
            out.extend(number.to_le_bytes());
        }
        out.extend(
            u16::try_from(name.len())
                .expect("it is short")
                .to_le_bytes(),
        );
        out.extend(0_u16.to_le_bytes());
    };
    let mut out = b"PK\x03\x04".to_vec();
    common(&mut out, "00000.csv");
    out.extend(b"00000.csv");
    out.extend(packed);
    let start = u32::try_from(out.len()).expect("it is small");
    for entry in 0..entries {
        let name = format!("{entry:05}.csv");
        out.extend(b"PK\x01\x02\x14\x00");
        common(&mut out, &name);
        out.extend([0; 14]);
        out.extend(name.as_bytes());
    }
    let length = u32::try_from(out.len()).expect("it is small") - start;
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend(entries.to_le_bytes());
    out.extend(entries.to_le_bytes());
    out.extend(length.to_le_bytes());
    out.extend(start.to_le_bytes());
    out.extend(0_u16.to_le_bytes());
    out
}

#[test]
fn an_archive_whose_entries_share_their_bytes_is_put_out() {
    let place = Place::new();
    let rows = month("2026-10", "1");
    let row = &rows[HEADER.len()..];
    let text = HEADER.to_owned() + &row.repeat((30 << 20) / row.len());
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), Compression::best());
    encoder
        .write_all(text.as_bytes())
        .expect("memory takes all");
    let packed = encoder.finish().expect("it packs");
    let mut checksum = flate2::Crc::new();
    checksum.update(text.as_bytes());
    let length = u32::try_from(text.len()).expect("it is small");
    // Three hundred gigabytes in a megabyte.
    place.write(
        "zip.zip",
        overlapping(&packed, length, checksum.sum(), 10_000),
    );
    refuses(&place, "zip.zip", "zip.zip");
}

/// Thrift's compact protocol, as far as Parquet's headers need it.
#[derive(Default)]
struct Thrift {
    bytes: Vec<u8>,
    last: Vec<u8>,
}

impl Thrift {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes
                .push(u8::try_from(value & 0x7f).expect("seven bits") | 0x80);
            value >>= 7;
        }
        self.bytes.push(u8::try_from(value).expect("seven bits"));
    }

    fn zigzag(&mut self, value: i64) {
        self.varint((value.cast_unsigned() << 1) ^ (value >> 63).cast_unsigned());
    }

    fn field(&mut self, id: u8, of: u8) {
        let last = self.last.last_mut().expect("inside of a structure");
        self.bytes.push((id - *last) << 4 | of);
        *last = id;
    }

    fn int(&mut self, id: u8, value: i64) {
        self.field(id, 5);
        self.zigzag(value);
    }

    fn long(&mut self, id: u8, value: i64) {
        self.field(id, 6);
        self.zigzag(value);
    }

    fn text(&mut self, id: u8, value: &str) {
        self.field(id, 8);
        self.plain_text(value);
    }

    fn plain_text(&mut self, value: &str) {
        self.varint(value.len() as u64);
        self.bytes.extend(value.as_bytes());
    }

    fn list(&mut self, id: u8, of: u8, count: u64) {
        self.field(id, 9);
        self.bytes.push(0xf0 | of);
        self.varint(count);
    }

    fn begin(&mut self) {
        self.last.push(0);
    }

    fn begin_field(&mut self, id: u8) {
        self.field(id, 12);
        self.begin();
    }

    fn end(&mut self) {
        self.bytes.push(0);
        self.last.pop();
    }
}

/// A page: its header may claim anything.
struct Page {
    body: Vec<u8>,
    unpacked: i64,
    /// Otherwise it is a dictionary.
    of_rows: bool,
    values: i64,
    encoding: i64,
}

impl Page {
    fn write(&self, out: &mut Vec<u8>) {
        let mut header = Thrift::default();
        header.begin();
        header.int(1, if self.of_rows { 0 } else { 2 });
        header.int(2, self.unpacked);
        header.int(3, self.body.len().try_into().expect("it is small"));
        header.begin_field(if self.of_rows { 5 } else { 7 });
        header.int(1, self.values);
        header.int(2, self.encoding);
        if self.of_rows {
            header.int(3, 3);
            header.int(4, 3);
        }
        header.end();
        header.end();
        out.extend(header.bytes);
        out.extend(&self.body);
    }
}

/// A column: its footer may claim anything.
struct Column {
    name: &'static str,
    pages: Vec<Page>,
    /// 0 as it is, 1 Snappy, 2 gzip.
    codec: i64,
    is_optional: bool,
    values: i64,
    offset: Option<i64>,
    size: Option<i64>,
    is_dictionary: bool,
}

fn value(text: &str) -> Vec<u8> {
    let length = u32::try_from(text.len()).expect("it is short");
    [&length.to_le_bytes()[..], text.as_bytes()].concat()
}

/// A run of one value.
fn run(count: u64, value: u8) -> Vec<u8> {
    let mut thrift = Thrift::default();
    thrift.varint(count << 1);
    thrift.bytes.push(value);
    thrift.bytes
}

/// An export with so many rows that are all alike.
struct Forge {
    rows: i64,
    group_rows: i64,
    columns: Vec<Column>,
    /// How many row groups the footer claims.
    groups: u64,
    /// How deep its schema is.
    depth: usize,
}

const EACH: [(&str, &str); 9] = [
    ("bill_payer_account_id", "999988887777"),
    ("bill_billing_period_start_date", "2026-10-01T00:00:00Z"),
    ("line_item_usage_start_date", "2026-10-05T01:00:00Z"),
    ("line_item_line_item_type", "Usage"),
    ("line_item_product_code", "CodeBuild"),
    ("line_item_usage_type", "EUW2-Build-Min:Linux:g1.small"),
    ("line_item_usage_amount", "10"),
    ("line_item_unblended_cost", "0.05"),
    ("line_item_currency_code", "USD"),
];

impl Forge {
    fn honest(rows: u32) -> Self {
        let columns = EACH.iter().map(|(name, text)| {
            let body = value(text);
            let dictionary = Page {
                unpacked: body.len().try_into().expect("it is small"),
                body,
                of_rows: false,
                values: 1,
                encoding: 0,
            };
            let mut body = vec![1];
            body.extend(run(rows.into(), 0));
            let codes = Page {
                unpacked: body.len().try_into().expect("it is small"),
                body,
                of_rows: true,
                values: rows.into(),
                encoding: 8,
            };
            Column {
                name,
                pages: vec![dictionary, codes],
                codec: 0,
                is_optional: false,
                values: rows.into(),
                offset: None,
                size: None,
                is_dictionary: true,
            }
        });
        Self {
            rows: rows.into(),
            group_rows: rows.into(),
            columns: columns.collect(),
            groups: 1,
            depth: 0,
        }
    }

    /// The cost of each row, in plain values.
    fn cost(&mut self) -> &mut Column {
        &mut self.columns[7]
    }

    fn write(&self) -> Vec<u8> {
        let mut out = b"PAR1".to_vec();
        let mut places = Vec::new();
        for column in &self.columns {
            let start = out.len();
            let mut data = start;
            for page in &column.pages {
                page.write(&mut out);
                if !page.of_rows {
                    data = out.len();
                }
            }
            places.push((start, data, out.len() - start));
        }
        let footer = self.footer(&places);
        out.extend(&footer);
        out.extend(
            u32::try_from(footer.len())
                .expect("it is small")
                .to_le_bytes(),
        );
        out.extend(b"PAR1");
        out
    }

    fn footer(&self, places: &[(usize, usize, usize)]) -> Vec<u8> {
        let signed = |number: usize| i64::try_from(number).expect("it is small");
        let mut out = Thrift::default();
        out.begin();
        out.int(1, 1);
        out.list(2, 12, (self.columns.len() + 1 + self.depth) as u64);
        out.begin();
        out.text(4, "root");
        out.int(5, signed(self.columns.len() + usize::from(self.depth > 0)));
        out.end();
        for column in &self.columns {
            out.begin();
            out.int(1, 6);
            out.int(3, i64::from(column.is_optional));
            out.text(4, column.name);
            out.int(6, 0);
            out.end();
        }
        for level in (0..self.depth).rev() {
            out.begin();
            if level == 0 {
                out.int(1, 6);
            }
            out.int(3, 0);
            out.text(4, "deep");
            if level > 0 {
                out.int(5, 1);
            }
            out.end();
        }
        out.long(3, self.rows);
        out.list(4, 12, self.groups);
        out.begin();
        out.list(1, 12, self.columns.len() as u64);
        let mut total = 0;
        for (column, (start, data, size)) in self.columns.iter().zip(places) {
            let size = column.size.unwrap_or(signed(*size));
            total += size / 2;
            out.begin();
            out.long(2, 0);
            out.begin_field(3);
            out.int(1, 6);
            out.list(2, 5, 1);
            out.zigzag(0);
            out.list(3, 8, 1);
            out.plain_text(column.name);
            out.int(4, column.codec);
            out.long(5, column.values);
            out.long(6, size);
            out.long(7, size);
            out.long(9, column.offset.unwrap_or(signed(*data)));
            if column.is_dictionary {
                out.long(11, column.offset.unwrap_or(signed(*start)));
            }
            out.end();
            out.end();
        }
        out.long(2, total);
        out.long(3, self.group_rows);
        out.end();
        out.end();
        out.bytes
    }
}

/// What is changed, how, and what is said of it.
type Lie<'l, T> = (&'l str, &'l dyn Fn(&mut T), &'l str);

#[test]
fn a_table_put_together_here_reads_as_it_should() {
    let place = Place::new();
    place.write("x.parquet", Forge::honest(1000).write());
    let said = import(&place, "x.parquet", 0);
    assert!(
        said.contains("1,000 rows, 1,000 kept") && said.contains("$50.00"),
        "{said}"
    );
}

#[test]
fn a_footer_that_lies_is_refused() {
    let place = Place::new();
    let many = 1 << 31;
    let lies: [Lie<'_, Forge>; 13] = [
        (
            "rows",
            &|f| f.group_rows = 1 << 40,
            "claims 1099511627776 rows",
        ),
        (
            "rows-and-values",
            &|f| {
                f.group_rows = many;
                f.columns.iter_mut().for_each(|column| column.values = many);
            },
            "claims 2147483648 rows",
        ),
        ("rows-below-zero", &|f| f.group_rows = -5, "below zero"),
        (
            "more-rows",
            &|f| f.group_rows = 1001,
            "row group 1 at byte 4, column ",
        ),
        (
            "more-values",
            &|f| f.cost().values = 1,
            "more values than the footer says",
        ),
        (
            "values-below-zero",
            &|f| f.cost().values = -1,
            "lies.parquet",
        ),
        (
            "offset",
            &|f| f.cost().offset = Some(1 << 50),
            "the footer names bytes beyond the end",
        ),
        (
            "offset-below-zero",
            &|f| f.cost().offset = Some(-9),
            "below zero",
        ),
        (
            "offset-elsewhere",
            &|f| f.cost().offset = Some(9),
            "column line_item_unblended_cost",
        ),
        (
            "size",
            &|f| f.cost().size = Some(1 << 50),
            "the footer names bytes beyond the end",
        ),
        (
            "size-below-zero",
            &|f| f.cost().size = Some(-1),
            "lies.parquet",
        ),
        (
            "groups",
            &|f| f.groups = u64::from(u32::MAX),
            "its footer cannot be read",
        ),
        (
            "deep",
            &|f| f.depth = 200_000,
            "claims a schema of 200010 parts",
        ),
    ];
    for (what, lie, why) in lies {
        let mut forge = Forge::honest(1000);
        lie(&mut forge);
        let name = format!("{what}-lies.parquet");
        place.write(&name, forge.write());
        refuses(&place, &name, why);
    }
}

#[test]
fn a_page_that_lies_is_refused() {
    let place = Place::new();
    let lies: [Lie<'_, Column>; 9] = [
        (
            "unpacked",
            &|c| {
                c.codec = 1;
                c.pages[0].unpacked = 1 << 30;
            },
            "claims more than 134217728 bytes",
        ),
        (
            "unpacked-below-zero",
            &|c| c.pages[1].unpacked = -1,
            "lies.parquet",
        ),
        (
            "unpacked-allowed",
            &|c| {
                c.codec = 1;
                c.pages[0].unpacked = 120 << 20;
            },
            "lies.parquet",
        ),
        (
            "values",
            &|c| c.pages[1].values = i64::from(i32::MAX),
            "more values than the footer says",
        ),
        (
            "values-below-zero",
            &|c| c.pages[1].values = -1,
            "lies.parquet",
        ),
        (
            "dictionary",
            &|c| c.pages[0].values = i64::from(i32::MAX),
            "shorter than its values",
        ),
        (
            "code",
            &|c| c.pages[1].body = [vec![1], run(1000, 1)].concat(),
            "a code beyond the dictionary",
        ),
        (
            "short-run",
            &|c| c.pages[1].body = [vec![1], run(999, 0)].concat(),
            "column line_item_unblended_cost",
        ),
        ("wide", &|c| c.pages[1].body[0] = 77, "more than 32 bits"),
    ];
    for (what, lie, why) in lies {
        let mut forge = Forge::honest(1000);
        lie(forge.cost());
        let name = format!("{what}-lies.parquet");
        place.write(&name, forge.write());
        refuses(&place, &name, why);
    }
}

#[test]
fn levels_that_lie_are_refused() {
    let place = Place::new();
    let with_levels = |levels: &[u8]| {
        let mut forge = Forge::honest(1000);
        let cost = forge.cost();
        cost.is_optional = true;
        let page = &mut cost.pages[1];
        let length = u32::try_from(levels.len()).expect("it is short");
        page.body = [&length.to_le_bytes()[..], levels, &page.body].concat();
        page.unpacked = page.body.len().try_into().expect("it is small");
        forge
    };
    place.write("honest.parquet", with_levels(&run(1000, 1)).write());
    assert!(import(&place, "honest.parquet", 0).contains("$50.00"));
    fs::remove_dir_all(place.path("ledger")).expect("it is there");
    let mut longer = with_levels(&run(1000, 1));
    longer.cost().pages[1].body[..4].copy_from_slice(&u32::MAX.to_le_bytes());
    for (what, forge, why) in [
        (
            "too-few",
            with_levels(&run(999, 1)),
            "ends in the middle of its values",
        ),
        ("none", with_levels(&[]), "ends in the middle of its values"),
        ("length", longer, "shorter than its values"),
        // A value that should be there, and a cost must be.
        ("absent", with_levels(&run(1000, 0)), "there is no value"),
    ] {
        let name = format!("{what}-lies.parquet");
        place.write(&name, forge.write());
        refuses(&place, &name, why);
    }
}

#[test]
fn a_run_of_two_billion_values_ends_with_its_page() {
    let place = Place::new();
    let mut forge = Forge::honest(1000);
    for column in &mut forge.columns {
        column.pages[1].body = [vec![1], run(1 << 31, 0)].concat();
        column.pages[1].unpacked = column.pages[1].body.len().try_into().expect("it is small");
    }
    place.write("run.parquet", forge.write());
    let said = import(&place, "run.parquet", 0);
    assert!(
        said.contains("1,000 rows, 1,000 kept") && said.contains("$50.00"),
        "{said}"
    );
}

#[test]
fn a_page_that_unpacks_to_more_than_it_claims_is_put_out() {
    let place = Place::new();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    std::io::copy(&mut std::io::repeat(0).take(1 << 30), &mut encoder).expect("it packs");
    let mut forge = Forge::honest(1000);
    let cost = forge.cost();
    cost.codec = 2;
    cost.pages.remove(0);
    cost.is_dictionary = false;
    cost.pages[0] = Page {
        body: encoder.finish().expect("it packs"),
        unpacked: 10_000,
        of_rows: true,
        values: 1000,
        encoding: 0,
    };
    place.write("gzip-lies.parquet", forge.write());
    refuses(
        &place,
        "gzip-lies.parquet",
        "unpacks to more than it claims",
    );
    // One that says what it is, and is too much.
    forge.cost().pages[0].unpacked = 1 << 30;
    place.write("gzip-lies.parquet", forge.write());
    refuses(
        &place,
        "gzip-lies.parquet",
        "claims more than 134217728 bytes",
    );
}
