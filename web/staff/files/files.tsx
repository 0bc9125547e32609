// Files and the report: asked for here, made by the worker, saved within a day.
import { useState } from "preact/hooks";
import { ask, Button, Choice, dayAndTime, Form, Head, type Key, Loaded, locale, may, me, Pick, Problem, saveFile, Send, site, t, Table, useAsked, useBusy, useEvery } from "../kit.ts";
import type { UsageExportResponse } from "../api-types.ts";
import { Dhis2 } from "./dhis2.tsx";

const EVERY_MS = 2000;
const KINDS = ["report", "csv", "xlsx"] as const;
const AUDIENCES = ["staff", "factory", "brand"] as const;
const SUFFIX: Record<string, string> = { report: "html", csv: "csv", xlsx: "xlsx", dhis2: "json" };
const LOCALES = [["en", "English"], ["zh-Hans", "中文"], ["vi", "Tiếng Việt"], ["tr", "Türkçe"]] as const;

interface Wanted {
  kind: (typeof KINDS)[number];
  audience: (typeof AUDIENCES)[number];
  locale: "en" | "zh-Hans" | "vi" | "tr";
  site_id?: string;
  programme_id?: string;
}

export function Screen() {
  const asked = useAsked("GET /v1/staff/exports", { query: { limit: 50 } });
  const isWaiting = asked.answer?.exports.some((one) => one.state === "waiting" || one.state === "running") ?? false;
  useEvery(EVERY_MS, async () => { if (isWaiting) await asked.reload(); }, [isWaiting]);
  return (
    <>
      <Head title={t("files.title")} />
      <New onAsked={asked.reload} />
      <h2>{t("files.mine")}</h2>
      <Loaded asked={asked} isEmpty={(answer) => answer.exports.length === 0} empty={t("files.empty")}>
        {(answer) => (
          <Table
            caption={t("files.mine")} rows={answer.exports} keyOf={(one) => one.usage_export_id} testId="files"
            columns={[
              { title: t("files.kind"), cell: (one) => t(`files.${one.kind}` as Key) },
              { title: t("files.for"), cell: (one) => t(one.audience === "brand" ? "files.brand" : (`files.${one.audience}` as Key)) },
              { title: t("files.asked"), cell: (one) => dayAndTime(one.asked_at) },
              { title: t("files.state"), cell: (one) => <State one={one} onAgain={asked.reload} /> },
            ]}
          />
        )}
      </Loaded>
      {may("manage structure") && <Dhis2 />}
    </>
  );
}

function State({ one, onAgain }: { one: UsageExportResponse; onAgain: () => Promise<void> }) {
  const { isBusy, problem, run } = useBusy();
  const save = (): Promise<void> => run(async () => {
    const file = await ask("GET /v1/staff/exports/{usage_export_id}/file", { path: { usage_export_id: one.usage_export_id }, timeoutMs: 60_000 });
    saveFile(file as unknown as Blob, `smartwatch-usage.${SUFFIX[one.kind] ?? "bin"}`);
  });
  const again = (): Promise<void> => run(async () => {
    if (one.kind === "dhis2") return;
    await request({ kind: one.kind, audience: one.audience, locale: one.locale as Wanted["locale"], ...(one.site_id ? { site_id: one.site_id } : { programme_id: one.programme_id }) });
    await onAgain();
  });
  const isMade = one.state === "running" || one.state === "waiting";
  return (
    <div class="stack">
      <span>{t(`files.${one.state}` as Key)}</span>
      {isMade && <progress max={100} value={one.percent} aria-label={t(`files.${one.state}` as Key)} />}
      {one.state === "ready" && (
        <span class="choices start">
          <Button icon="paper" busy={isBusy} testId="save-file" onClick={() => void save()}>{t("files.save")}</Button>
          {one.expires_at && <span class="soft">{t("files.until", { at: dayAndTime(one.expires_at) })}</span>}
        </span>
      )}
      {one.state === "failed" && one.kind !== "dhis2" && <span><Button busy={isBusy} testId="again" onClick={() => void again()}>{t("action.again")}</Button></span>}
      {problem && <Problem>{problem}</Problem>}
    </div>
  );
}

function request(wanted: Wanted): Promise<UsageExportResponse> {
  return ask("POST /v1/staff/exports", { body: wanted });
}

function New({ onAsked }: { onAsked: () => Promise<void> }) {
  const isFactory = !may("see structure");
  const [kind, setKind] = useState<Wanted["kind"]>("report");
  const [audience, setAudience] = useState<Wanted["audience"]>(isFactory ? "factory" : "staff");
  const [language, setLanguage] = useState<Wanted["locale"]>(locale.value);
  const [of, setOf] = useState("");
  const { isBusy, problem, run } = useBusy();
  const programmes = (me.value?.scopes ?? []).filter((scope) => scope.programme_id && scope.programme === site.value?.programme);
  const send = (): Promise<void> => run(async () => {
    const place = of ? { programme_id: of } : { site_id: site.value?.site_id ?? "" };
    await request({ kind, audience, locale: language, ...place });
    await onAsked();
  });
  return (
    <section class="card">
      <Form onSend={() => void send()}>
        <h2>{t("files.new")}</h2>
        <Choice label={t("files.kind")} value={kind} onPick={(value) => setKind(value as Wanted["kind"])} options={KINDS.map((one) => [one, t(`files.${one}` as Key)])} />
        {!isFactory && <Choice label={t("files.for")} value={audience} onPick={(value) => setAudience(value as Wanted["audience"])} options={AUDIENCES.map((one) => [one, t(`files.${one}` as Key)])} />}
        <div class="filters">
          {programmes.length > 0 && <Pick label={t("usage.of")} value={of} onPick={setOf} options={[["", t("usage.whole_site")], ...programmes.map((one) => [one.programme_id ?? "", t("usage.whole_programme")] as const)]} />}
          <Pick label={t("files.language")} value={language} onPick={(value) => setLanguage(value as Wanted["locale"])} options={LOCALES} />
        </div>
        {problem && <Problem>{problem}</Problem>}
        <div class="choices start"><Send busy={isBusy}>{t("files.make")}</Send></div>
      </Form>
    </section>
  );
}
