// Everything about one child that is not talking: who may call, quiet hours, who looked, help, the end.
import { go, type Screen } from "../../shared/navigation.ts";
import { Icon } from "../../shared/ui/icon.tsx";
import { Empty, Row, Top } from "../../shared/ui/parts.tsx";
import { t } from "../../shared/words.ts";
import { childOf } from "../home/state.ts";
import { Contacts } from "./contacts.tsx";
import { Erase, Unpair } from "./ending.tsx";
import { Help } from "./help.tsx";
import { Looks } from "./looks.tsx";
import { OwnWord } from "./word.tsx";
import { WatchSettings } from "./watch.tsx";
import { OnItsWay } from "./way.tsx";

export function More({ part, child_id }: { part: Screen["name"]; child_id: string }) {
  const child = childOf(child_id);
  if (!child) {
    return (
      <main class="screen">
        <Top title={t("more.title")} />
        <Empty>{t("talk.gone")}</Empty>
      </main>
    );
  }
  switch (part) {
    case "contacts":
      return <Contacts child={child} />;
    case "quiet":
      return <WatchSettings child={child} />;
    case "looks":
      return <Looks child={child} />;
    case "help":
      return <Help child={child} />;
    case "word":
      return <OwnWord child={child} />;
    case "way":
      return <OnItsWay child={child} />;
    case "erase":
      return <Erase child={child} />;
    default:
  }
  const to = (name: "contacts" | "quiet" | "looks" | "help" | "erase" | "pair" | "word" | "way"): (() => void) => () => go({ name, child_id });
  return (
    <main class="screen">
      <Top title={child.child.name} />
      {child.watch_number && <a class="button" href={`tel:${child.watch_number}`}><Icon name="phone" /><span>{t("sos.call", { name: child.child.name })}</span></a>}
      <div class="rows">
        <Row icon="phone" title={t("contacts.title")} onClick={to("contacts")} />
        <Row icon="moon" title={t("watch.settings")} onClick={to("quiet")} />
        <Row icon="eye" title={t("looks.title")} onClick={to("looks")} />
        <Row icon="child" title={t("word.title", { name: child.child.name })} about={child.child.childs_consent_due ? t("word.due_short") : undefined} onClick={to("word")} testId="word" />
        {child.child.watch?.on_its_way_since_at && <Row icon="way" title={t("way.title")} onClick={to("way")} />}
        <Row icon="help" title={t("help.title")} onClick={to("help")} testId="help" />
        {!child.child.watch && child.may_manage && <Row icon="watch" title={t("pair.title")} onClick={to("pair")} />}
        <Row icon="bin" title={t("erase.title")} onClick={to("erase")} testId="erase" />
      </div>
      {child.child.watch && child.may_manage && <Unpair child={child} />}
    </main>
  );
}
