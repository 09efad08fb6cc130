"""The pages in Swahili. A native speaker has yet to read them."""

from __future__ import annotations

from gateway.adapters.web.wording.forms import Labels, Say, Trouble, Wording
from gateway.application.checkout import PageState

_STATES = {
    PageState.CHOOSE: Say(
        headline="Lipa kwa M-Pesa",
        fact="Lipa {amount} kwa {shop}.",
        todo="Weka nambari ya M-Pesa itakayolipa.",
    ),
    PageState.SENDING: Say(
        headline="Tunatuma ombi",
        fact="Tunatuma ombi kwa {payer}…",
        todo="Kaa na simu hiyo karibu.",
    ),
    PageState.DELAYED: Say(
        headline="Bado halijatumwa",
        fact="M-Pesa haipokei ombi letu kwa sasa, kwa hivyo tunaendelea kujaribu.",
        todo="Subiri hapa, au rudi baadaye kwa kiungo hiki hiki. Unaweza pia kughairi.",
    ),
    PageState.WAITING: Say(
        headline="Angalia simu yako",
        fact="Weka PIN yako ya M-Pesa kwenye ujumbe wa M-Pesa wa {amount}, akaunti {account}.",
        todo="Hakikisha kiasi na akaunti kabla ya kuweka PIN yako.",
    ),
    PageState.PERHAPS_WAITING: Say(
        headline="Je, ujumbe umefika?",
        fact="M-Pesa haijatuambia kama ombi limefika kwa {payer}.",
        todo="Ujumbe wa {amount}, akaunti {account}, ukija, weka PIN yako ya M-Pesa kwenye ujumbe huo. "
        "Usilipe kwa njia nyingine kwa sasa.",
    ),
    PageState.CONFIRMING: Say(
        headline="Tunauliza M-Pesa",
        fact="Ombi limeisha kwenye simu yako. Tunauliza M-Pesa kilichotokea.",
        todo="Ikiwa uliweka PIN, usilipe tena. Subiri hapa, au ondoka na urudi kwa kiungo hiki hiki.",
    ),
    PageState.UNKNOWN: Say(
        headline="Bado haijulikani",
        fact="M-Pesa bado haijatujibu. Pesa zako ziko salama: ikiwa zimetolewa, oda hii itaonyesha imelipwa yenyewe.",
        todo="Hutatozwa mara mbili kwa kusubiri. Unaweza kuondoka, na kufungua ukurasa huu tena wakati wowote.",
    ),
    PageState.PLACE_TO_COME: Say(
        headline="Subiri kidogo",
        fact="Tunatafuta nambari utakayolipia {amount}.",
        todo="Itaonekana hapa yenyewe.",
    ),
    PageState.PAY_TO: Say(
        headline="Lipa kwa menyu ya M-Pesa",
        fact="Kwenye M-Pesa chagua Lipa na M-Pesa, kisha Pay Bill, na ulipe {amount} kwa akaunti {account}.",
        todo="Andika akaunti hivyo hivyo. Malipo yako yataonekana hapa yakifika; huenda yakachukua dakika chache.",
    ),
    PageState.PAID: Say(
        headline="Imelipwa",
        fact="Risiti ya M-Pesa {receipt}.",
        todo="Unaweza kurudi dukani.",
    ),
    PageState.PAID_NUMBER_TO_COME: Say(
        headline="Imelipwa",
        fact="Nambari ya risiti itafuata.",
        todo="Unaweza kurudi dukani.",
    ),
    PageState.PAID_LATE: Say(
        headline="Imelipwa kwa kuchelewa",
        fact="Malipo yako yalifika baada ya ukurasa huu kuisha muda. Duka limejulishwa.",
        todo="Unaweza kurudi dukani.",
    ),
    PageState.WRONG_PIN: Say(
        headline="PIN si sahihi",
        fact="PIN haikuwa sahihi. Hakuna pesa zilizotolewa.",
        todo="Jaribu tena kwa PIN sahihi.",
    ),
    PageState.NO_MONEY: Say(
        headline="Pesa hazitoshi",
        fact="Hakuna pesa za kutosha kwenye akaunti hiyo ya M-Pesa. Hakuna kilichotolewa.",
        todo="Ongeza pesa kisha ujaribu tena, au tumia nambari nyingine.",
    ),
    PageState.CANCELED_ON_PHONE: Say(
        headline="Umeghairi kwenye simu",
        fact="Umeghairi kwenye simu. Hakuna kilichotolewa.",
        todo="Unaweza kujaribu tena.",
    ),
    PageState.UNREACHABLE: Say(
        headline="Simu hiyo haikujibu",
        fact="Hatukuweza kuifikia simu hiyo, au haikujibiwa kwa wakati.",
        todo="Je, imewashwa, ina mtandao, na ni nambari ya M-Pesa? Kisha jaribu tena, na ujibu ombi moja tu.",
    ),
    PageState.OVER_LIMIT: Say(
        headline="Kiasi kimezidi kikomo",
        fact="Akaunti hiyo ya M-Pesa haiwezi kulipa kiasi hiki kwa sasa. Hakuna kilichotolewa.",
        todo="Tumia nambari nyingine, au jaribu tena kesho.",
    ),
    PageState.NOT_POSSIBLE: Say(
        headline="Haikufaulu",
        fact="M-Pesa ilikataa ombi hili, na haikutoa pesa kwa ombi hili.",
        todo="Jaribu tena, au tumia nambari nyingine. Likikataliwa tena, uliza duka.",
    ),
    PageState.PART_PAID: Say(
        headline="Imelipwa kwa sehemu",
        fact="Tumepokea {received} kati ya {whole}.",
        todo="Lipa {amount} zilizobaki.",
    ),
    PageState.EXPIRED: Say(
        headline="Muda umeisha",
        fact="Ukurasa huu umeisha muda, na hakuna kilicholipwa hapa.",
        todo="Ili kulipa, rudi dukani na uagize tena.",
    ),
    PageState.SHOP_CANCELED: Say(
        headline="Imeghairiwa",
        fact="Malipo haya yameghairiwa, na hakuna kilicholipwa hapa.",
        todo="Ikiwa bado unataka kulipa, rudi dukani na uagize tena.",
    ),
}

_PAY_AGAIN = Say(
    headline="Ulipe tena?",
    fact="Ikiwa malipo ya kwanza pia yatapita, {amount} za ziada utarudishiwa.",
    todo="Ni salama zaidi kuendelea kusubiri. Lipa tena tu ikiwa una uhakika unataka.",
)

_TROUBLES = {
    Trouble.NO_SUCH_PAGE: Say(
        headline="Hakuna ukurasa kama huu",
        fact="Kiungo hiki hakifungui malipo yoyote.",
        todo="Angalia kiungo ulichopewa na duka, au omba duka kiungo kipya.",
    ),
    Trouble.CROSS_SITE: Say(
        headline="Si kutoka ukurasa huu",
        fact="Tovuti nyingine imeomba hili, kwa hivyo hatukufanya lolote.",
        todo="Fungua kiungo cha duka mwenyewe, kisha ubonyeze kitufe hapo.",
    ),
    Trouble.UNREADABLE: Say(
        headline="Hatukuweza kusoma",
        fact="Kilichotumwa na kivinjari chako hakikusomeka, kwa hivyo hatukufanya lolote.",
        todo="Fungua kiungo cha duka tena.",
    ),
    Trouble.TOO_OFTEN: Say(
        headline="Maombi ni mengi mno",
        fact="Maombi mengi mno yanatoka kwenye mtandao wako kwa sasa.",
        todo="Subiri dakika moja, kisha ufungue ukurasa huu tena. Malipo yaliyoanza yanaendelea yenyewe.",
    ),
    Trouble.BROKEN: Say(
        headline="Kuna hitilafu upande wetu",
        fact="Hatuwezi kuonyesha malipo haya kwa sasa.",
        todo="Ikiwa uliweka PIN, usilipe tena. Fungua ukurasa huu tena baada ya dakika moja.",
    ),
    Trouble.BUSY: Say(
        headline="Kuna shughuli nyingi",
        fact="Hatuwezi kuonyesha malipo haya kwa sasa.",
        todo="Ikiwa uliweka PIN, usilipe tena. Fungua ukurasa huu tena baada ya dakika moja.",
    ),
}

_LABELS = Labels(
    switch="English",
    test_mode="Hali ya majaribio: hakuna pesa halisi zinazotumwa.",
    items="Unachonunua",
    phone="Nambari ya M-Pesa",
    phone_hint="Kwa mfano 0712 345 678",
    phone_echo="M-Pesa itauliza {payer}.",
    pay="Lipa {amount}",
    pay_again="Lipa {amount} tena",
    busy_button="Tunatuma…",
    consent="Naelewa kwamba malipo yote mawili yanaweza kupita.",
    open_until="Unaweza kulipa hapa hadi saa {until}.",
    cancel="Ghairi malipo haya",
    back="Rudi dukani",
    going_back="Tutakurudisha dukani baada ya sekunde chache.",
    save_receipt="Baki hapa uhifadhi risiti",
    print_receipt="Hifadhi au chapisha",
    close_receipt="Funga risiti",
    check_now="Angalia tena sasa",
    again="Lipa tena…",
    keep_waiting="Endelea kusubiri",
    not_received="Sijaupata",
    not_received_tips=(
        "Je, simu imewashwa, imefunguliwa, na ina mtandao?",
        "Je, ni simu yenye nambari inayoonyeshwa hapa?",
        "Ujumbe wa M-Pesa unaweza kuwa nyuma ya madirisha mengine.",
    ),
    ends_at="Tunasubiri jibu lako hadi saa {until}. "
    "Baada ya hapo tutauliza M-Pesa, na kukuambia hapa unachoweza kufanya.",
    row_amount="Kiasi",
    row_account="Akaunti",
    row_phone="Simu",
    row_paybill="Nambari ya Paybill",
    row_till="Nambari ya Till",
    by_paybill="Lipa kwa Paybill badala yake",
    by_till="Lipa kwa Till badala yake",
    by_phone="Nitumie ujumbe kwenye simu badala yake",
    to_place="Rudi kulipa mwenyewe",
    pay_to_till="Kwenye M-Pesa chagua Lipa na M-Pesa, kisha Buy Goods, na ulipe {amount} kwa Till hii.",
    row_receipt="Risiti ya M-Pesa",
    row_shop="Imelipwa kwa",
    ending_in="nambari inayoishia",
    in_doubt="Ombi la awali bado halijaamuliwa. Nalo pia likipita, {amount} za ziada utarudishiwa.",
    extra="Tumepokea {extra} zaidi ya oda. Utarudishiwa.",
    later="M-Pesa itapokea ombi lingine kuanzia saa {until}.",
    closed_part="Ukurasa huu umefungwa. Uliza duka kuhusu kiasi kilichobaki.",
    pin_promise="Hatutawahi kukuuliza PIN yako kwenye ukurasa huu. Iweke tu kwenye ujumbe wa M-Pesa wenyewe.",
    contact="Una swali? Uliza {shop}:",
    reference="Nambari ya kumbukumbu",
    offline="Inaonekana simu yako haina mtandao. Malipo yako hayaathiriki; ukurasa utaendelea mtandao ukirudi.",
    slow="Hatuwezi kuona hali ya sasa. Ikiwa uliweka PIN, usilipe tena.",
    phone_invalid="Hiyo si nambari ya simu ya Kenya. Iandike kama 0712 345 678.",
    consent_missing="Weka alama hapa ili ulipe tena.",
    too_many="Maombi mengi kwa nambari hii. Jaribu tena saa {until}.",
    paused="Malipo ya M-Pesa yamesimamishwa kwa sasa. Hakuna ombi jipya lililotumwa kwa simu yako. "
    "Jaribu tena baada ya dakika chache.",
    busy="Kuna shughuli nyingi kwa duka hili. Hakuna ombi jipya lililotumwa kwa simu yako. "
    "Jaribu tena baada ya muda mfupi.",
    refused="Malipo haya hayawezi kufanywa hapa, na hakuna ombi lililotumwa kwa simu yako. Uliza duka.",
    open_page="Fungua ukurasa tena",
)

SWAHILI = Wording(states=_STATES, pay_again=_PAY_AGAIN, troubles=_TROUBLES, labels=_LABELS)
