//! Bringing accounts over from CloudLink, and taking that back.

use presence_portal::sandbox::{System, Trouble};

use crate::every_page::look_at;
use crate::support::Journey;

#[tokio::test(flavor = "multi_thread")]
async fn accounts_are_imported_once_cloudlink_answers_and_taken_back() {
    let Journey { portal, visitor, customer } = Journey::begin().await;
    portal.sandbox.trouble(System::Cloudlink, Trouble::Away);
    visitor.press("Import from CloudLink").await;
    visitor.sees("CloudLink cannot be reached").await;
    let mut wrong = Vec::new();
    look_at(&visitor, "/accounts/import", "import-away", &mut wrong).await;
    portal.sandbox.mend(System::Cloudlink);
    visitor.press("Try again").await;
    visitor.sees(&customer.name).await;
    visitor.press("Import ticked accounts").await;
    visitor.sees("Tick at least one account that is not here yet.").await;
    visitor.run("document.querySelector('input[name=account]').click()", vec![]).await;
    visitor.press("Import ticked accounts").await;
    visitor.sees("1 account is imported.").await;
    visitor.visit("/accounts/import").await;
    visitor.sees("Already here").await;

    visitor.visit("/bulk").await;
    let newest = "document.querySelector('.rows a[href^=\"/bulk/\"]').click()";
    visitor.run(newest, vec![]).await;
    visitor.sees("Imported from CloudLink.").await;
    look_at(&visitor, &visitor.path().await, "import-run", &mut wrong).await;
    assert!(wrong.is_empty(), "{wrong:#?}");
    visitor.press("Undo").await;
    visitor.sees("It is taken back.").await;
    visitor.visit("/accounts").await;
    visitor.sees("No accounts yet").await;
}
