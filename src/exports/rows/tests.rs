use proptest::prelude::*;

use super::*;

/// The line of each row, but for blank lines before it that the crate does not count, and its fields.
type Read = Vec<(Option<u64>, Vec<Vec<u8>>)>;

/// Hands out a few bytes at a time.
struct Dribble<'t>(&'t [u8], usize);

impl io::Read for Dribble<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.1.min(self.0.len()).min(buffer.len());
        buffer[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}

fn ours(text: &[u8], step: usize) -> Read {
    let mut rows = Rows::new(Dribble(text, step), false);
    rows.look_ahead(step % 7);
    let mut read = Vec::new();
    let mut record = ByteRecord::new();
    while let Some((at, line)) = rows.next().expect("memory can be read") {
        line.copy_to(&mut record);
        for field in 0..=record.len() {
            let raw = line.raw(field);
            let text = if matches!(line, Line::Odd(_)) {
                raw
            } else {
                raw.map(unquoted)
            };
            let is_plain = !text.unwrap_or_default().contains(&b'"');
            assert!(!is_plain || text == record.get(field), "{field}: {text:?}");
        }
        let fields: Vec<Vec<u8>> = record.iter().map(<[u8]>::to_vec).collect();
        let is_plain = matches!(line, Line::Plain { .. });
        if is_plain {
            // Whoever wants some of the fields is asked of every one, however many a row has.
            line.copy_some_to(&mut record, |field| field % 2 == 0);
            let some = fields.iter().enumerate();
            assert!(some.map(|(at, text)| [&text[..], b""][at % 2]).eq(&record));
        }
        read.push((is_plain.then_some(at), fields));
    }
    read
}

/// What the `csv` crate reads, with the line at which each row begins.
fn theirs(text: &[u8]) -> Read {
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .has_headers(false)
        .from_reader(text);
    let mut read = Vec::new();
    let mut record = ByteRecord::new();
    while reader
        .read_byte_record(&mut record)
        .expect("memory can be read")
    {
        let start = record.position().expect("a record was read").byte();
        let start = usize::try_from(start).expect("a short text");
        // The crate's position is before the line ends that it skips.
        let blank = text[start..]
            .iter()
            .take_while(|b| b"\r\n".contains(b))
            .count();
        let before = String::from_utf8_lossy(&text[..start + blank]);
        let feeds = before.matches('\n').count();
        read.push((
            Some(feeds as u64 + 1),
            record.iter().map(<[u8]>::to_vec).collect(),
        ));
    }
    read
}

fn check(text: &[u8], step: usize) {
    let (ours, theirs) = (ours(text, step), theirs(text));
    assert_eq!(
        ours.iter().map(|row| &row.1).collect::<Vec<_>>(),
        theirs.iter().map(|row| &row.1).collect::<Vec<_>>(),
        "{:?}",
        String::from_utf8_lossy(text)
    );
    let lines = ours
        .iter()
        .zip(&theirs)
        .filter(|(ours, _)| ours.0.is_some());
    for (ours, theirs) in lines {
        assert_eq!(ours.0, theirs.0, "{:?}", String::from_utf8_lossy(text));
    }
}

#[test]
fn odd_and_even_quotes_are_read_as_the_crate_reads_them() {
    for text in [
        "",
        "\n",
        "a",
        "a,b\n1,2",
        "a,b\r\n1,2\r\n",
        "\n\na,b\n\n\"x\ny\",2\n\n3,4\n",
        "a,\"b \"\"quoted\"\" c\",d\n\"\",\"\"\"\",\"\"\"x\"\n",
        "a,5\" disk,b\n1,2,3\n",
        "a,\"b\" ,c\n1,2,3\n",
        "a,\"never closed\n1,2,3\n",
        "a\rb\rc",
        "a,\"x\"\r\nb,\"y\"\r\n",
        "a,\"x\r\",b\r",
        "\"\"x,y\n1,\"\"\"\n",
    ] {
        for step in [1, 7, 64, 1000] {
            check(text.as_bytes(), step);
        }
    }
}

#[test]
fn rows_longer_than_a_stretch_are_read() {
    let long = format!("a,\"{}\",c\n1,2,3\n", "x,\"\"y\"\"\n".repeat(STRETCH / 4));
    check(long.as_bytes(), STRETCH);
    check(long.repeat(3).as_bytes(), STRETCH / 3);
}

proptest! {
    #[test]
    fn no_text_is_read_differently(
        text in "[a-c\",\n\r ]{0,300}",
        step in 1_usize..200,
    ) {
        check(text.as_bytes(), step);
    }

    #[test]
    fn well_formed_text_is_split_here(
        rows in prop::collection::vec(prop::collection::vec("[a-c\",\n\r ]{0,9}", 2..40), 1..60),
        step in 1_usize..3000,
        crlf: bool,
    ) {
        let terminator = if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
        let mut writer = csv::WriterBuilder::new()
            .flexible(true)
            .terminator(terminator)
            .quote_style(csv::QuoteStyle::Always)
            .from_writer(Vec::new());
        for row in &rows {
            writer.write_record(row).expect("memory takes all");
        }
        let text = writer.into_inner().expect("memory takes all");
        check(&text, step);
        let mut split = Rows::new(&text[..], crlf);
        while split.next().expect("memory can be read").is_some() {}
        prop_assert!(split.odd.is_none());
    }
}
