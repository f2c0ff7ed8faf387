//! Countries and languages to choose from.

/// Names, as English writes them.
const COUNTRIES: &str = "\
    Afghanistan; Albania; Algeria; Andorra; Angola; Antigua and Barbuda; Argentina; Armenia; \
    Australia; Austria; Azerbaijan; Bahamas; Bahrain; Bangladesh; Barbados; Belarus; Belgium; \
    Belize; Benin; Bermuda; Bhutan; Bolivia; Bosnia and Herzegovina; Botswana; Brazil; Brunei; \
    Bulgaria; Burkina Faso; Burundi; Cabo Verde; Cambodia; Cameroon; Canada; Cayman Islands; Central \
    African Republic; Chad; Chile; China; Colombia; Comoros; Congo; Costa Rica; Côte d’Ivoire; \
    Croatia; Cuba; Curaçao; Cyprus; Czechia; Democratic Republic of the Congo; Denmark; Djibouti; \
    Dominica; Dominican Republic; Ecuador; Egypt; El Salvador; Equatorial Guinea; Eritrea; Estonia; \
    Eswatini; Ethiopia; Faroe Islands; Fiji; Finland; France; Gabon; Gambia; Georgia; Germany; \
    Ghana; Gibraltar; Greece; Greenland; Grenada; Guatemala; Guernsey; Guinea; Guinea-Bissau; \
    Guyana; Haiti; Honduras; Hong Kong; Hungary; Iceland; India; Indonesia; Iran; Iraq; Ireland; \
    Isle of Man; Israel; Italy; Jamaica; Japan; Jersey; Jordan; Kazakhstan; Kenya; Kiribati; Kosovo; \
    Kuwait; Kyrgyzstan; Laos; Latvia; Lebanon; Lesotho; Liberia; Libya; Liechtenstein; Lithuania; \
    Luxembourg; Macao; Madagascar; Malawi; Malaysia; Maldives; Mali; Malta; Marshall Islands; \
    Mauritania; Mauritius; Mexico; Micronesia; Moldova; Monaco; Mongolia; Montenegro; Morocco; \
    Mozambique; Myanmar; Namibia; Nauru; Nepal; Netherlands; New Caledonia; New Zealand; Nicaragua; \
    Niger; Nigeria; North Korea; North Macedonia; Norway; Oman; Pakistan; Palau; Palestine; Panama; \
    Papua New Guinea; Paraguay; Peru; Philippines; Poland; Portugal; Puerto Rico; Qatar; Romania; \
    Russia; Rwanda; Saint Kitts and Nevis; Saint Lucia; Saint Vincent and the Grenadines; Samoa; San \
    Marino; São Tomé and Príncipe; Saudi Arabia; Senegal; Serbia; Seychelles; Sierra Leone; \
    Singapore; Slovakia; Slovenia; Solomon Islands; Somalia; South Africa; South Korea; South Sudan; \
    Spain; Sri Lanka; Sudan; Suriname; Sweden; Switzerland; Syria; Taiwan; Tajikistan; Tanzania; \
    Thailand; Timor-Leste; Togo; Tonga; Trinidad and Tobago; Tunisia; Türkiye; Turkmenistan; Tuvalu; \
    Uganda; Ukraine; United Arab Emirates; United Kingdom; United States; Uruguay; Uzbekistan; \
    Vanuatu; Vatican City; Venezuela; Vietnam; Yemen; Zambia; Zimbabwe";

const LANGUAGES: [(&str, &str); 46] = [
    ("ar", "Arabic"),
    ("zh-CN", "Chinese (simplified)"),
    ("zh-TW", "Chinese (traditional)"),
    ("cs-CZ", "Czech"),
    ("da-DK", "Danish"),
    ("nl-BE", "Dutch (Belgium)"),
    ("nl-NL", "Dutch (Netherlands)"),
    ("en-AU", "English (Australia)"),
    ("en-CA", "English (Canada)"),
    ("en-IN", "English (India)"),
    ("en-IE", "English (Ireland)"),
    ("en-NZ", "English (New Zealand)"),
    ("en-ZA", "English (South Africa)"),
    ("en-GB", "English (United Kingdom)"),
    ("en-US", "English (United States)"),
    ("et-EE", "Estonian"),
    ("fi-FI", "Finnish"),
    ("fr-BE", "French (Belgium)"),
    ("fr-CA", "French (Canada)"),
    ("fr-FR", "French (France)"),
    ("fr-CH", "French (Switzerland)"),
    ("de-AT", "German (Austria)"),
    ("de-DE", "German (Germany)"),
    ("de-CH", "German (Switzerland)"),
    ("el-GR", "Greek"),
    ("he-IL", "Hebrew"),
    ("hu-HU", "Hungarian"),
    ("it-IT", "Italian"),
    ("ja-JP", "Japanese"),
    ("ko-KR", "Korean"),
    ("lv-LV", "Latvian"),
    ("lt-LT", "Lithuanian"),
    ("nb-NO", "Norwegian"),
    ("pl-PL", "Polish"),
    ("pt-BR", "Portuguese (Brazil)"),
    ("pt-PT", "Portuguese (Portugal)"),
    ("ro-RO", "Romanian"),
    ("ru-RU", "Russian"),
    ("sk-SK", "Slovak"),
    ("sl-SI", "Slovenian"),
    ("es-MX", "Spanish (Mexico)"),
    ("es-ES", "Spanish (Spain)"),
    ("sv-SE", "Swedish"),
    ("tr-TR", "Turkish"),
    ("uk-UA", "Ukrainian"),
    ("cy-GB", "Welsh"),
];

/// To choose from, as value and words; what came from elsewhere and is not in our list stays in it.
pub fn countries(current: &str) -> Vec<(String, String)> {
    let known = COUNTRIES.split("; ").map(|name| (name.to_owned(), name.to_owned()));
    with_current(known.collect(), current)
}

/// The same of languages, by their tags.
pub fn languages(current: &str) -> Vec<(String, String)> {
    let known = LANGUAGES.map(|(tag, name)| (tag.to_owned(), name.to_owned()));
    with_current(known.into(), current)
}

fn with_current(mut choices: Vec<(String, String)>, current: &str) -> Vec<(String, String)> {
    choices.insert(0, (String::new(), "Not given".to_owned()));
    if !choices.iter().any(|(value, _)| value == current) {
        choices.insert(1, (current.to_owned(), current.to_owned()));
    }
    choices
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_there_before_stays_a_choice() {
        assert!(countries("Sweden").iter().any(|(_, name)| name == "Côte d’Ivoire"));
        assert_eq!(countries("").len(), countries("Sweden").len());
        assert_eq!(countries("USA")[1].0, "USA");
        assert_eq!(languages("sv")[1].0, "sv");
    }
}
