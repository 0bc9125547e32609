// The structure of the programme at this site: cohorts, who is responsible for the data, further sites, the last day.
import { useState } from "preact/hooks";
import { ask, Button, Confirm, Field, Form, Head, Loaded, me, Pick, Problem, Send, shortDate, site, t, Table, useAsked, useBusy } from "../kit.ts";
import { Notice } from "./notice.tsx";

const LOCALES = [["en", "English"], ["zh-Hans", "中文"], ["vi", "Tiếng Việt"], ["tr", "Türkçe"]] as const;

export function Screen() {
  const whole = (me.value?.scopes ?? []).find((scope) => scope.programme_id && scope.programme === site.value?.programme);
  return (
    <>
      <Head title={t("programme.title")} />
      <Cohorts />
      <Notice />
      {whole?.programme_id && <NewSite programme_id={whole.programme_id} />}
      {whole?.programme_id && <LastDay programme_id={whole.programme_id} />}
    </>
  );
}

function Cohorts() {
  const path = { site_id: site.value?.site_id ?? "" };
  const asked = useAsked("GET /v1/staff/sites/{site_id}/cohorts", { path });
  const [name, setName] = useState("");
  const [starts_on, setStarts] = useState("");
  const [ends_on, setEnds] = useState("");
  const [told, setTold] = useState("");
  const { isBusy, problem, run } = useBusy();
  const send = (): Promise<void> => run(async () => {
    const { is_new } = await ask("POST /v1/staff/sites/{site_id}/cohorts", { path, body: { name, starts_on: starts_on || null, ends_on: ends_on || null } });
    setTold(t(is_new ? "programme.added" : "programme.there"));
    setName("");
    await asked.reload();
  });
  return (
    <section class="stack">
      <h2>{t("programme.cohorts")}</h2>
      <Loaded asked={asked} isEmpty={(answer) => answer.cohorts.length === 0} empty={t("programme.cohorts_empty")}>
        {(answer) => (
          <Table
            caption={t("programme.cohorts")} rows={answer.cohorts} keyOf={(one) => one.cohort_id} testId="cohorts"
            columns={[
              { title: t("programme.name"), cell: (one) => one.name },
              { title: t("programme.starts"), cell: (one) => (one.starts_on ? shortDate(one.starts_on) : "") },
              { title: t("programme.ends"), cell: (one) => (one.ends_on ? shortDate(one.ends_on) : "") },
            ]}
          />
        )}
      </Loaded>
      <Form onSend={() => void send()}>
        <div class="filters">
          <Field label={t("programme.new_cohort")} value={name} maxLength={80} onInput={setName} />
          <Field label={t("programme.starts")} type="date" value={starts_on} onInput={setStarts} />
          <Field label={t("programme.ends")} type="date" value={ends_on} onInput={setEnds} />
        </div>
        {problem && <Problem>{problem}</Problem>}
        <p class="good" role="status">{told}</p>
        <div class="choices start"><Send busy={isBusy} disabled={!name.trim()}>{t("programme.add")}</Send></div>
      </Form>
    </section>
  );
}

function NewSite({ programme_id }: { programme_id: string }) {
  const [name, setName] = useState("");
  const [country, setCountry] = useState(site.value?.country ?? "");
  const [timezone, setTimezone] = useState(site.value?.timezone ?? "");
  const [locale, setLocale] = useState(site.value?.locale ?? "en");
  const [told, setTold] = useState("");
  const { isBusy, problem, run } = useBusy();
  const send = (): Promise<void> => run(async () => {
    const { is_new } = await ask("POST /v1/staff/programmes/{programme_id}/sites", { path: { programme_id }, body: { name, country: country.toUpperCase(), timezone, locale } });
    setTold(t(is_new ? "programme.added" : "programme.there"));
    setName("");
  });
  return (
    <section class="card">
      <Form onSend={() => void send()}>
        <h2>{t("programme.new_site")}</h2>
        <div class="filters">
          <Field label={`${t("programme.new_site")}: ${t("programme.name")}`} value={name} maxLength={80} onInput={setName} />
          <Field label={t("programme.country")} value={country} maxLength={2} onInput={setCountry} />
          <Field label={t("programme.timezone")} value={timezone} maxLength={40} onInput={setTimezone} />
          <Pick label={t("programme.language")} value={locale} onPick={setLocale} options={LOCALES} />
        </div>
        {problem && <Problem>{problem}</Problem>}
        <p class="good" role="status">{told}</p>
        <div class="choices start"><Send busy={isBusy} disabled={!name.trim() || country.length !== 2 || !timezone}>{t("programme.add")}</Send></div>
      </Form>
    </section>
  );
}

/** The end of a programme is told to every family: it takes a date, and a second press. */
function LastDay({ programme_id }: { programme_id: string }) {
  const [ends_on, setEnds] = useState("");
  const [asks, setAsks] = useState<"" | "announce" | "cancel">("");
  const [told, setTold] = useState("");
  const { isBusy, problem, run } = useBusy();
  const send = (): Promise<void> => run(async () => {
    await ask("PUT /v1/staff/programmes/{programme_id}/end", { path: { programme_id }, body: { ends_on: asks === "announce" ? ends_on : null } });
    setTold(t(asks === "announce" ? "programme.announced" : "programme.taken_back"));
    setAsks("");
  });
  return (
    <section class="card stack">
      <h2>{t("programme.last_day")}</h2>
      <p class="soft">{t("programme.last_day_about")}</p>
      <Field label={t("programme.last_day")} type="date" value={ends_on} onInput={setEnds} />
      <p class="good" role="status">{told}</p>
      <div class="choices start">
        <Button kind="bad" disabled={!ends_on} onClick={() => setAsks("announce")}>{t("programme.announce")}</Button>
        <Button onClick={() => setAsks("cancel")}>{t("programme.cancel_end")}</Button>
      </div>
      {asks && (
        <Confirm title={t("programme.last_day")} yes={t(asks === "announce" ? "programme.announce" : "programme.cancel_end")} busy={isBusy} onYes={() => void send()} onNo={() => setAsks("")}>
          <p>{t("programme.last_day_about")}</p>
          {problem && <Problem>{problem}</Problem>}
        </Confirm>
      )}
    </section>
  );
}
