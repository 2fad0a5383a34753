//! Parquet by its own column writers, in groups of rows: memory holds one group.

use std::{fs::File as OsFile, io, sync::Arc};

use parquet::{
    basic::{Compression, LogicalType, Repetition, TimeUnit, Type as PhysicalType},
    column::writer::ColumnWriter,
    data_type::{ByteArray, FixedLenByteArray},
    errors::ParquetError,
    file::{properties::WriterProperties, writer::SerializedFileWriter},
    schema::types::Type,
};
use rust_decimal::Decimal;

use super::columns::{Column, ColumnKind, Value};
use crate::{domain::number::unscaled, report::input::ReportError};

/// Rows that are held at once.
const GROUP: usize = 50_000;

/// Decimal places of numbers: enough for a price of ten places times a quantity of eight.
const SCALE: u32 = 18;

/// A file in the making. Parquet's end points to what stands before it, so it grows in a temporary
/// file before it goes out.
pub(super) struct File {
    writer: SerializedFileWriter<OsFile>,
    group: Vec<Vec<Value>>,
    rows: u64,
}

impl From<ParquetError> for ReportError {
    fn from(error: ParquetError) -> Self {
        Self::Write(io::Error::other(error))
    }
}

impl File {
    pub(super) fn new(columns: &[&Column]) -> Result<Self, ReportError> {
        let fields = columns
            .iter()
            .map(|column| field(column).map(Arc::new))
            .collect::<Result<Vec<_>, _>>()?;
        let schema = Type::group_type_builder("focus")
            .with_fields(fields)
            .build()?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(concat!("pipebill ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        let file = tempfile::tempfile()?;
        Ok(Self {
            writer: SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties))?,
            group: Vec::new(),
            rows: 0,
        })
    }

    pub(super) fn push(&mut self, row: Vec<Value>) -> Result<(), ReportError> {
        self.rows += 1;
        self.group.push(row);
        if self.group.len() == GROUP {
            self.write_group()?;
        }
        Ok(())
    }

    fn write_group(&mut self) -> Result<(), ReportError> {
        let group = std::mem::take(&mut self.group);
        if group.is_empty() {
            return Ok(());
        }
        let mut columns = self.writer.next_row_group()?;
        let mut at = 0;
        while let Some(mut column) = columns.next_column()? {
            let values = || group.iter().map(|row| &row[at]);
            let levels: Vec<i16> = values()
                .map(|value| i16::from(*value != Value::Null))
                .collect();
            let levels = Some(&levels[..]);
            match column.untyped() {
                ColumnWriter::ByteArrayColumnWriter(writer) => {
                    let texts: Vec<ByteArray> = values()
                        .filter_map(|value| match value {
                            Value::Text(text) => Some(ByteArray::from(text.as_str())),
                            _ => None,
                        })
                        .collect();
                    writer.write_batch(&texts, levels, None)?;
                }
                ColumnWriter::FixedLenByteArrayColumnWriter(writer) => {
                    let numbers: Vec<FixedLenByteArray> = values()
                        .filter_map(|value| match value {
                            Value::Number(number) => Some(in_bytes(*number)),
                            _ => None,
                        })
                        .collect::<Result<_, _>>()?;
                    writer.write_batch(&numbers, levels, None)?;
                }
                ColumnWriter::Int64ColumnWriter(writer) => {
                    let times: Vec<i64> = values()
                        .filter_map(|value| match value {
                            Value::Time(day) => Some(
                                day.and_time(chrono::NaiveTime::MIN)
                                    .and_utc()
                                    .timestamp_millis(),
                            ),
                            _ => None,
                        })
                        .collect();
                    writer.write_batch(&times, levels, None)?;
                }
                _ => {
                    return Err(ReportError::Write(io::Error::other(
                        "a column of another type",
                    )));
                }
            }
            column.close()?;
            at += 1;
        }
        columns.close()?;
        Ok(())
    }

    /// Returns how many rows were written.
    pub(super) fn finish(mut self, sink: &mut dyn io::Write) -> Result<u64, ReportError> {
        self.write_group()?;
        let mut file = self.writer.into_inner()?;
        io::Seek::rewind(&mut file)?;
        io::copy(&mut file, sink)?;
        Ok(self.rows)
    }
}

fn in_bytes(number: Decimal) -> Result<FixedLenByteArray, ReportError> {
    let whole = unscaled(number, SCALE).ok_or_else(|| {
        let problem = format!("{number} has more digits than Parquet's decimals hold");
        ReportError::Write(io::Error::other(problem))
    })?;
    Ok(FixedLenByteArray::from(whole.to_be_bytes().to_vec()))
}

fn field(column: &Column) -> Result<Type, ParquetError> {
    let builder = |physical| {
        Type::primitive_type_builder(column.name, physical).with_repetition(Repetition::OPTIONAL)
    };
    match column.kind {
        ColumnKind::Text => builder(PhysicalType::BYTE_ARRAY)
            .with_logical_type(Some(LogicalType::String))
            .build(),
        ColumnKind::Number => builder(PhysicalType::FIXED_LEN_BYTE_ARRAY)
            .with_length(16)
            .with_precision(38)
            .with_scale(SCALE.cast_signed())
            .with_logical_type(Some(LogicalType::decimal(SCALE.cast_signed(), 38)))
            .build(),
        ColumnKind::Time => builder(PhysicalType::INT64)
            .with_logical_type(Some(LogicalType::timestamp(true, TimeUnit::MILLIS)))
            .build(),
    }
}
