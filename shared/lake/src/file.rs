//! One Parquet file, written a row group at a time, so that memory does not grow with its rows. Gives it no name.

use crate::columns::{Column, Unfit, schema};
use engine::entities::Entity;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use serde_json::{Map, Value};
use std::fs::File;
use std::sync::Arc;

/// What waits for a row group at most; one is of this size in memory and much smaller in the file.
const GROUP_BYTES: usize = 16 << 20;
/// DuckDB's own size: it gives each thread a row group.
const GROUP_ROWS: u64 = 122_880;

pub(crate) struct Rows {
    columns: Vec<Column>,
    writer: SerializedFileWriter<File>,
    waiting: u64,
    bytes: usize,
    pub(crate) rows: u64,
}

pub(crate) enum RowError {
    Unfit(Unfit),
    Output(std::io::Error),
}

impl From<ParquetError> for RowError {
    fn from(error: ParquetError) -> Self {
        Self::Output(std::io::Error::other(error))
    }
}

impl Rows {
    pub(crate) fn new(entity: &'static Entity, file: File) -> Result<Self, RowError> {
        let columns = Column::of(entity);
        // Statistics of each row group let a reader skip it; those of each page would be more than some pages.
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).set_statistics_enabled(EnabledStatistics::Chunk).build();
        let writer = SerializedFileWriter::new(file, schema(&columns)?, Arc::new(properties))?;
        Ok(Self { columns, writer, waiting: 0, bytes: 0, rows: 0 })
    }

    pub(crate) fn push(&mut self, row: &Map<String, Value>) -> Result<(), RowError> {
        for column in &mut self.columns {
            self.bytes += column.push(row.get(column.name)).map_err(RowError::Unfit)?;
        }
        self.waiting += 1;
        self.rows += 1;
        if self.waiting >= GROUP_ROWS || self.bytes >= GROUP_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), RowError> {
        let mut group = self.writer.next_row_group()?;
        for column in &mut self.columns {
            if let Some(writer) = group.next_column()? {
                column.write(writer)?;
            }
        }
        group.close()?;
        (self.waiting, self.bytes) = (0, 0);
        Ok(())
    }

    /// Ends the file, which is on the disk then, and tells how many rows it has.
    pub(crate) fn finish(mut self) -> Result<u64, RowError> {
        if self.waiting > 0 {
            self.flush()?;
        }
        let file = self.writer.into_inner()?;
        file.sync_all().map_err(RowError::Output)?;
        Ok(self.rows)
    }
}
