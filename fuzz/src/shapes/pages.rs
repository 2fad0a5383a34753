//! Parquet files: good ones with damage in the footer or the pages, and ones that a writer made of odd
//! types, encodings and values.

use std::sync::Arc;

use arbitrary::Unstructured;
use parquet::{
    basic::{
        Compression, ConvertedType, Encoding, LogicalType, Repetition, TimeUnit, Type as Physical,
    },
    column::writer::ColumnWriter,
    data_type::{ByteArray, FixedLenByteArray, Int96},
    errors::ParquetError,
    file::{
        properties::{WriterProperties, WriterVersion},
        writer::SerializedFileWriter,
    },
    schema::types::Type,
};

use super::word;

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../../tests/fixtures/import/", $name))
    };
}

const FILES: [&[u8]; 8] = [
    fixture!("focus-1.2.parquet"),
    fixture!("legacy-cur.parquet"),
    fixture!("cur2.brotli.parquet"),
    fixture!("cur2-entries.zstd.parquet"),
    fixture!("cur2-wide.lz4.parquet"),
    fixture!("cur2.snappy.parquet"),
    fixture!("focus-1.0.parquet"),
    fixture!("cur2-v2.gz.parquet"),
];
const MAGIC: &[u8] = b"PAR1";

/// Where the footer of a file begins.
fn footer_of(file: &[u8]) -> usize {
    let end = file.len() - 8;
    let length = u32::from_le_bytes([file[end], file[end + 1], file[end + 2], file[end + 3]]);
    end - length as usize
}

/// Good files as `framed` takes them.
pub(super) fn seeds() -> Vec<Vec<u8>> {
    let small = FILES.iter().filter(|file| file.len() < 20_000);
    small
        .map(|file| {
            let footer = file.len() - 8 - footer_of(file);
            let length = u16::try_from(footer).unwrap_or(u16::MAX).to_le_bytes();
            [&[0][..], &length, &file[4..file.len() - 8]].concat()
        })
        .collect()
}

/// Puts the frame of a Parquet file around bytes: what comes and goes in them moves no length.
pub(super) fn framed(bytes: &[u8]) -> Vec<u8> {
    let Some((length, body)) = bytes.split_at_checked(2) else {
        return MAGIC.repeat(2);
    };
    let length = u16::from_le_bytes([length[0], length[1]]).into();
    let length = body.len().min(length);
    framed_as(body, length)
}

fn framed_as(body: &[u8], footer: usize) -> Vec<u8> {
    let length = u32::try_from(footer).unwrap_or(u32::MAX).to_le_bytes();
    [MAGIC, body, &length, MAGIC].concat()
}

/// Returns a good file with some bytes that are others.
pub(super) fn damaged(u: &mut Unstructured<'_>) -> arbitrary::Result<Vec<u8>> {
    let file = *u.choose(&FILES)?;
    let start = footer_of(file);
    let (mut pages, mut footer) = (
        file[4..start].to_vec(),
        file[start..file.len() - 8].to_vec(),
    );
    damage(u, &mut footer)?;
    damage(u, &mut pages)?;
    let length = footer.len();
    pages.extend(footer);
    Ok(framed_as(&pages, length))
}

fn damage(u: &mut Unstructured<'_>, bytes: &mut Vec<u8>) -> arbitrary::Result<()> {
    for _ in 0..u.int_in_range(0..=6)? {
        if bytes.is_empty() {
            return Ok(());
        }
        let at = u.int_in_range(0..=bytes.len() - 1)?;
        match u.int_in_range(0..=7)? {
            0..=3 => bytes[at] = u.arbitrary()?,
            // The longest numbers that the format's writing has.
            4 => {
                let long = [0xff, 0xff, 0xff, 0xff, 0x0f];
                let length = long.len().min(bytes.len() - at);
                bytes[at..at + length].copy_from_slice(&long[..length]);
            }
            5 => bytes[at] ^= 1 << u.int_in_range(0..=7)?,
            6 => bytes.insert(at, u.arbitrary()?),
            _ => drop(bytes.remove(at)),
        }
    }
    Ok(())
}

/// Names of the columns of an export, and what may stand in them.
const COLUMNS: [(&str, &[&str]); 14] = [
    (
        "line_item_usage_start_date",
        &["2026-10-05T01:00:00.000Z", "2026-10-01"],
    ),
    ("line_item_line_item_type", &["Usage", "Tax", "Credit"]),
    (
        "line_item_product_code",
        &["CodeBuild", "AmazonS3", "AmazonEC2", "AmazonCloudWatch"],
    ),
    (
        "line_item_usage_type",
        &[
            "EUW2-Build-Min:Linux:g1.small",
            "EUW2-TimedStorage-ByteHrs",
            "BoxUsage",
        ],
    ),
    ("line_item_usage_amount", &["10", "0.5"]),
    ("line_item_unblended_cost", &["0.05", "1.49E-8"]),
    ("line_item_currency_code", &["USD"]),
    ("bill_billing_period_start_date", &["2026-10-01T00:00:00Z"]),
    ("bill_payer_account_id", &["999988887777"]),
    ("line_item_usage_account_id", &["111122223333"]),
    (
        "line_item_resource_id",
        &[
            "arn:aws:codebuild:eu-west-2:111122223333:build/api:0f6e",
            "codepipeline-eu-west-2-1",
        ],
    ),
    ("pricing_unit", &["Minutes", "GB-Mo"]),
    ("line_item_unblended_rate", &["0.005"]),
    ("resource_tags", &["{\"user_team\":\"web\"}"]),
];

/// How a column is written.
#[derive(Clone, Copy)]
struct Form {
    physical: Physical,
    /// Digits after the point, units of time, or a plain number.
    logical: u8,
    length: i32,
    encoding: Encoding,
    is_dictionary: bool,
    is_required: bool,
}

/// Returns a file that a writer made of odd types, encodings and values, damaged perhaps.
pub(super) fn written(u: &mut Unstructured<'_>) -> arbitrary::Result<Vec<u8>> {
    const PHYSICAL: [Physical; 8] = [
        Physical::BYTE_ARRAY,
        Physical::DOUBLE,
        Physical::INT64,
        Physical::INT32,
        Physical::FIXED_LEN_BYTE_ARRAY,
        Physical::INT96,
        Physical::FLOAT,
        Physical::BOOLEAN,
    ];
    const ENCODINGS: [Encoding; 6] = [
        Encoding::PLAIN,
        Encoding::DELTA_BYTE_ARRAY,
        Encoding::DELTA_LENGTH_BYTE_ARRAY,
        Encoding::DELTA_BINARY_PACKED,
        Encoding::RLE,
        Encoding::BYTE_STREAM_SPLIT,
    ];
    let columns = COLUMNS.len() - u.int_in_range(0..=2)?;
    let mut forms = Vec::new();
    for at in 0..columns {
        let odd: u8 = u.arbitrary()?;
        let usual = match COLUMNS[at].0 {
            "line_item_usage_amount" | "line_item_unblended_cost" | "line_item_unblended_rate" => {
                Physical::DOUBLE
            }
            _ => Physical::BYTE_ARRAY,
        };
        forms.push(Form {
            physical: if odd < 160 {
                usual
            } else {
                *u.choose(&PHYSICAL)?
            },
            logical: u.arbitrary()?,
            length: u.int_in_range(1..=20)?,
            encoding: if odd % 4 < 3 {
                Encoding::PLAIN
            } else {
                *u.choose(&ENCODINGS)?
            },
            is_dictionary: odd % 2 == 0,
            is_required: odd % 16 == 3,
        });
    }
    let (groups, rows) = (u.int_in_range(1..=2)?, u.int_in_range(0..=40)?);
    let file = write(u, &forms, (groups, rows)).ok().flatten();
    let Some(mut file) = file else {
        return Ok(MAGIC.repeat(2));
    };
    if u.arbitrary()? {
        let start = footer_of(&file);
        let (mut pages, footer) = (
            file[4..start].to_vec(),
            file[start..file.len() - 8].to_vec(),
        );
        // Lengths stay: an offset beyond the pages is tried by the other target.
        let length = pages.len();
        damage(u, &mut pages)?;
        pages.resize(length, 0);
        pages.extend_from_slice(&footer);
        file = framed_as(&pages, footer.len());
    }
    Ok(file)
}

type Written = Result<Option<Vec<u8>>, ParquetError>;

fn write(u: &mut Unstructured<'_>, forms: &[Form], (groups, rows): (usize, usize)) -> Written {
    let fields = forms
        .iter()
        .zip(COLUMNS)
        .map(|(form, (name, _))| field(name, *form).map(Arc::new));
    let schema = Type::group_type_builder("x")
        .with_fields(fields.collect::<Result<_, _>>()?)
        .build()?;
    let odd = u.arbitrary::<u8>().unwrap_or_default();
    let mut properties = WriterProperties::builder()
        .set_compression(
            [
                Compression::UNCOMPRESSED,
                Compression::SNAPPY,
                Compression::GZIP(Default::default()),
            ][usize::from(odd % 3)],
        )
        .set_writer_version(
            [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0][usize::from(odd / 4 % 2)],
        )
        .set_data_page_row_count_limit(if odd & 64 == 0 { 7 } else { 1000 })
        .set_write_batch_size(7);
    for (form, (name, _)) in forms.iter().zip(COLUMNS) {
        properties = properties.set_column_dictionary_enabled(name.into(), form.is_dictionary);
        if can(form) {
            properties = properties.set_column_encoding(name.into(), form.encoding);
        }
    }
    let mut writer =
        SerializedFileWriter::new(Vec::new(), Arc::new(schema), Arc::new(properties.build()))?;
    for _ in 0..groups {
        let mut columns = writer.next_row_group()?;
        let mut at = 0;
        while let Some(mut column) = columns.next_column()? {
            let (form, own) = (forms[at], COLUMNS[at].1);
            let mut texts = Vec::new();
            for _ in 0..rows {
                let kind = u.arbitrary::<u8>().unwrap_or_default();
                texts.push(match kind {
                    0..8 if !form.is_required => None,
                    8..32 => Some(word(u, own).unwrap_or_default()),
                    _ => own
                        .get(usize::from(kind) % own.len())
                        .map(|text| (*text).to_owned()),
                });
            }
            let levels: Vec<i16> = texts.iter().map(|text| i16::from(text.is_some())).collect();
            let levels = (!form.is_required).then_some(&levels[..]);
            let texts: Vec<&str> = texts.iter().flatten().map(String::as_str).collect();
            let number = |text: &&str| text.parse::<f64>().unwrap_or(f64::from(text.len() as u32));
            let whole = |text: &&str| {
                text.parse::<i64>()
                    .unwrap_or(1_790_000_000_000 + text.len() as i64)
            };
            match column.untyped() {
                ColumnWriter::ByteArrayColumnWriter(to) => {
                    let values: Vec<ByteArray> =
                        texts.iter().map(|text| ByteArray::from(*text)).collect();
                    to.write_batch(&values, levels, None)?;
                }
                ColumnWriter::DoubleColumnWriter(to) => {
                    let values: Vec<f64> = texts.iter().map(number).collect();
                    to.write_batch(&values, levels, None)?;
                }
                ColumnWriter::FloatColumnWriter(to) => {
                    let values: Vec<f32> = texts.iter().map(|text| number(text) as f32).collect();
                    to.write_batch(&values, levels, None)?;
                }
                ColumnWriter::Int64ColumnWriter(to) => {
                    let values: Vec<i64> = texts.iter().map(whole).collect();
                    to.write_batch(&values, levels, None)?;
                }
                ColumnWriter::Int32ColumnWriter(to) => {
                    let values: Vec<i32> = texts.iter().map(|text| whole(text) as i32).collect();
                    to.write_batch(&values, levels, None)?;
                }
                ColumnWriter::Int96ColumnWriter(to) => {
                    let values: Vec<Int96> = texts
                        .iter()
                        .map(|text| Int96::from(vec![whole(text) as u32, 0, 2_461_300]))
                        .collect();
                    to.write_batch(&values, levels, None)?;
                }
                ColumnWriter::FixedLenByteArrayColumnWriter(to) => {
                    let length = form.length as usize;
                    let values: Vec<FixedLenByteArray> = texts
                        .iter()
                        .map(|text| {
                            let mut bytes = text.as_bytes().to_vec();
                            bytes.resize(length, 0);
                            FixedLenByteArray::from(bytes)
                        })
                        .collect();
                    to.write_batch(&values, levels, None)?;
                }
                ColumnWriter::BoolColumnWriter(to) => {
                    let values: Vec<bool> = texts.iter().map(|text| text.len() % 2 == 0).collect();
                    to.write_batch(&values, levels, None)?;
                }
            }
            column.close()?;
            at += 1;
        }
        columns.close()?;
    }
    Ok(writer.into_inner().ok())
}

/// Which encodings the writer has for which types: it panics at others.
fn can(form: &Form) -> bool {
    let physical = form.physical;
    match form.encoding {
        Encoding::PLAIN => true,
        Encoding::DELTA_BYTE_ARRAY => matches!(
            physical,
            Physical::BYTE_ARRAY | Physical::FIXED_LEN_BYTE_ARRAY
        ),
        Encoding::DELTA_LENGTH_BYTE_ARRAY => physical == Physical::BYTE_ARRAY,
        Encoding::DELTA_BINARY_PACKED => matches!(physical, Physical::INT32 | Physical::INT64),
        Encoding::RLE => physical == Physical::BOOLEAN,
        Encoding::BYTE_STREAM_SPLIT => matches!(
            physical,
            Physical::INT32
                | Physical::INT64
                | Physical::FLOAT
                | Physical::DOUBLE
                | Physical::FIXED_LEN_BYTE_ARRAY
        ),
        _ => false,
    }
}

fn field(name: &str, form: Form) -> Result<Type, ParquetError> {
    let repetition = if form.is_required {
        Repetition::REQUIRED
    } else {
        Repetition::OPTIONAL
    };
    let field = Type::primitive_type_builder(name, form.physical).with_repetition(repetition);
    let scale = i32::from(form.logical % 12);
    let field = match form.physical {
        Physical::BYTE_ARRAY if form.logical < 200 => {
            field.with_logical_type(Some(LogicalType::String))
        }
        Physical::BYTE_ARRAY if form.logical < 220 => decimal(field, scale, 38),
        Physical::FIXED_LEN_BYTE_ARRAY if form.logical < 200 => {
            let digits = (f64::from(form.length * 8 - 1) * 2_f64.log10()).floor() as i32;
            decimal(field, scale.min(digits), digits.clamp(1, 48)).with_length(form.length)
        }
        Physical::FIXED_LEN_BYTE_ARRAY => field.with_length(form.length),
        Physical::INT32 if form.logical < 100 => field.with_converted_type(ConvertedType::DATE),
        Physical::INT32 if form.logical < 160 => decimal(field, scale.min(9), 9),
        Physical::INT64 if form.logical < 60 => {
            field.with_logical_type(Some(LogicalType::timestamp(true, TimeUnit::MILLIS)))
        }
        Physical::INT64 if form.logical < 90 => {
            field.with_logical_type(Some(LogicalType::timestamp(true, TimeUnit::NANOS)))
        }
        Physical::INT64 if form.logical < 120 => {
            field.with_logical_type(Some(LogicalType::timestamp(false, TimeUnit::MICROS)))
        }
        Physical::INT64 if form.logical < 180 => decimal(field, scale, 18),
        _ => field,
    };
    field.build()
}

fn decimal(
    field: parquet::schema::types::PrimitiveTypeBuilder<'_>,
    scale: i32,
    digits: i32,
) -> parquet::schema::types::PrimitiveTypeBuilder<'_> {
    field
        .with_precision(digits)
        .with_scale(scale)
        .with_logical_type(Some(LogicalType::decimal(scale, digits)))
}
