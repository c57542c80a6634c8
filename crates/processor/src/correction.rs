//! Corrected rejects: whether they can be taken, and which file they correct.

use checker::{FileFault, Summary};
use contract::Contract;
use runtime::Correction;
use store::Error;

use crate::{ProcessorStore, work::Work};

/// Returns why a file of corrected rejects cannot be taken, and notes the file that one corrects which can be. `None`
/// also for any other file.
pub(crate) async fn judge<S: ProcessorStore>(
    work: &Work<'_, S>,
    contract: &Contract,
    summary: &Summary,
) -> Result<Option<FileFault>, Error> {
    let Some(corrects) = &summary.corrects else { return Ok(None) };
    let correction = Correction {
        corrects,
        partner: &work.partner,
        feed: &work.feed,
        file: Some(&work.id),
        named: work.corrects.get(),
    };
    let fault = correction.fault(work.store, contract).await?;
    if fault.is_none() {
        work.note_corrected(Some(corrects.clone()));
    }
    Ok(fault)
}
