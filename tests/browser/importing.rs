//! Bringing accounts over from CloudLink, and taking that back.

use presence_portal::sandbox::{System, Trouble};

use crate::every_page::look_at;
use crate::support::Journey;

async fn cloudlink_is_away(Journey { portal, visitor, .. }: &Journey) {
    portal.sandbox.trouble(System::Cloudlink, Trouble::Away);
    visitor.press("Import from CloudLink").await;
    visitor.sees("CloudLink cannot be reached").await;
}

/// Until the page of the run says what came of it.
async fn it_answers_and_one_is_imported(Journey { portal, visitor, customer }: &Journey) {
    portal.sandbox.mend(System::Cloudlink);
    visitor.press("Try again").await;
    visitor.sees(&customer.name).await;
    visitor.press("Import ticked accounts").await;
    visitor.sees("Tick at least one account that is not here yet.").await;
    visitor.flip_box(&customer.name).await;
    visitor.press("Import ticked accounts").await;
    visitor.sees("1 account is imported.").await;
    visitor.visit("/accounts/import").await;
    visitor.sees("Already here").await;

    visitor.visit("/bulk").await;
    let newest = "document.querySelector('.rows a[href^=\"/bulk/\"]').click()";
    visitor.run(newest, vec![]).await;
    visitor.sees("1 of 1 account").await;
    visitor.sees("Imported from CloudLink.").await;
}

async fn the_list_follows_what_is_typed(Journey { visitor, customer, .. }: &Journey) {
    let search = "Search CloudLink’s accounts";
    visitor.visit("/accounts/import").await;
    visitor.sees("Already here").await;
    visitor.fill(search, "nobody at all").await;
    visitor.sees("No account fits").await;
    visitor.fill(search, &customer.name).await;
    visitor.sees("Already here").await;
}

async fn it_is_taken_back(Journey { visitor, .. }: &Journey) {
    visitor.press("Undo").await;
    visitor.sees("It is taken back.").await;
    visitor.sees("Finished").await;
    visitor.visit("/accounts").await;
    visitor.sees("No accounts yet").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_are_imported_once_cloudlink_answers_and_taken_back() {
    let journey = Journey::begin().await;
    let visitor = &journey.visitor;
    let mut wrong = Vec::new();
    cloudlink_is_away(&journey).await;
    look_at(visitor, "/accounts/import", "import-away", &mut wrong).await;
    it_answers_and_one_is_imported(&journey).await;
    let run = visitor.path().await;
    look_at(visitor, &run, "import-run", &mut wrong).await;
    the_list_follows_what_is_typed(&journey).await;
    visitor.visit(&run).await;
    it_is_taken_back(&journey).await;
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_are_imported_and_taken_back_without_scripts() {
    let journey = Journey::begin_without_scripts().await;
    cloudlink_is_away(&journey).await;
    it_answers_and_one_is_imported(&journey).await;
    it_is_taken_back(&journey).await;
}
