// The site's statement about who is responsible for the data; guardians read it before they agree.
import { useEffect, useState } from "preact/hooks";
import { ask, Field, Form, type Key, Loaded, Problem, Send, site, t, TextArea, useAsked, useBusy } from "../kit.ts";
import type { Processor, SiteNoticeResponse } from "../api-types.ts";

const FIELDS = ["controller_name", "controller_address", "controller_contact", "authority_name", "authority_contact", "officer_name", "officer_contact", "filing_number"] as const;

export function Notice() {
  const asked = useAsked("GET /v1/staff/sites/{site_id}/privacy-notice", { path: { site_id: site.value?.site_id ?? "" } });
  return (
    <section class="card stack" data-testid="notice">
      <h2>{t("programme.notice")}</h2>
      <p class="soft">{t("programme.notice_about")}</p>
      <Loaded asked={asked}>{(notice) => <Stated notice={notice} reload={asked.reload} />}</Loaded>
    </section>
  );
}

function Stated({ notice, reload }: { notice: SiteNoticeResponse; reload: () => Promise<void> }) {
  const [fields, setFields] = useState<Record<string, string>>({});
  const [processors, setProcessors] = useState("");
  const [told, setTold] = useState("");
  const { isBusy, problem, run } = useBusy();
  useEffect(() => {
    setFields(Object.fromEntries(FIELDS.map((field) => [field, notice[field]])));
    setProcessors(notice.processors.map((one) => [one.name, one.country, one.purpose].join("; ")).join("\n"));
  }, [notice.notice_version]);
  const send = (): Promise<void> => run(async () => {
    await ask("PUT /v1/staff/sites/{site_id}/privacy-notice", { path: { site_id: site.value?.site_id ?? "" }, body: { ...fields, processors: processorsOf(processors) } });
    setTold(t("programme.saved"));
    await reload();
  });
  return (
    <Form onSend={() => void send()}>
      <p>{t("programme.version", { version: notice.notice_version })}. {notice.missing.length > 0 ? t("programme.missing", { fields: notice.missing.map((field) => t(`notice_field.${field}` as Key)).join(", ") }) : t("programme.whole")}</p>
      <div class="filters">
        {FIELDS.map((field) => <Field key={field} label={t(`notice_field.${field}` as Key)} value={fields[field] ?? ""} maxLength={240} onInput={(value) => setFields({ ...fields, [field]: value })} />)}
      </div>
      <TextArea label={t("programme.processors")} hint={t("programme.processors_hint")} value={processors} onInput={setProcessors} />
      {problem && <Problem>{problem}</Problem>}
      <p class="good" role="status">{told}</p>
      <div class="choices start"><Send busy={isBusy}>{t("programme.save")}</Send></div>
    </Form>
  );
}

/** One company a line: name; country; purpose. */
function processorsOf(lines: string): Processor[] {
  return lines.split("\n").filter((line) => line.trim()).map((line) => {
    const [name = "", country = "", purpose = ""] = line.split(";").map((part) => part.trim());
    return { name, country: country.toUpperCase(), purpose };
  });
}
